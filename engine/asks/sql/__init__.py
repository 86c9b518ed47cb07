"""SQL databases that entries name: pools of connections, statements with bound values, transactions, all of it bounded.

`databases.py` is for whoever stands on a database; SQLite and PostgreSQL are a file each behind `connection.py`.
"""

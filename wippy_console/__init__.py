"""The Django side: models, services, views, consumers, admin, commands."""

"""The actor host: function calls and processes of one node, in memory."""

"""What outlives a turn and a restart: conversations and facts, in SQLite or Redis."""

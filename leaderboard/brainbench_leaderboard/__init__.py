"""The leaderboard: records kept in SQLite and shown as tables."""

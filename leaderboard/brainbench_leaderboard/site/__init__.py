"""The leaderboard as a static site: pages, data and pictures that need no network and no server."""

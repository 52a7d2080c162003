"""The results file opened in datasette: questions that come with it, and what its tables hold."""

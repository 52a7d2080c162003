"""Built-in models: language models from a hub or a folder."""

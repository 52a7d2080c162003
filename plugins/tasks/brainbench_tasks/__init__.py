"""Built-in tasks: what people did in the scanner and what a model is asked to do."""

"""Built-in metrics: how representations are compared with brain responses."""

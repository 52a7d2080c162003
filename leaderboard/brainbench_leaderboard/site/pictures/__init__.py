"""Pictures: each a Vega-Lite chart or an image, with its data and a text that says what it shows."""

"""The mapping language: parsed once, compiled to Python, applied to every record."""

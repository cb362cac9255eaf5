"""Code, models and custom ops, read."""

"""Requirements files and `pyproject.toml`, read into values; whoever calls hands in the text."""

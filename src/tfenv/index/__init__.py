"""Package indexes: PyPI and private ones, over HTTP, with a cache on disk."""

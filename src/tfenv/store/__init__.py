"""Files on disk: the cache and atomic writes."""

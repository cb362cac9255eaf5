"""Files on disk: the cache, atomic writes, ownership, limits, and the documents in them."""

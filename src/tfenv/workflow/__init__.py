"""Where rim and core meet; the public Python API."""

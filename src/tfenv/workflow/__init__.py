"""The services behind the commands; the public Python API."""

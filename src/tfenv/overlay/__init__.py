"""The facts, laid over a source of releases."""

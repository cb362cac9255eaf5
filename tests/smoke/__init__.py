"""The smoke ladder: what a probe tells, and what it is taken to mean."""

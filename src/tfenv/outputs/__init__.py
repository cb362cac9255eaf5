"""Texts made from a lock, and nothing else."""

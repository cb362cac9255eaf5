"""Lockers of Python packages compared on one recorded index."""

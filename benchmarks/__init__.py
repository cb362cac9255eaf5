"""Lockers of Python packages side by side, on one recorded index."""

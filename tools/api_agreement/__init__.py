"""The table of symbols against installed releases."""

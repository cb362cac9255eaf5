"""Model files and custom ops: what they need."""

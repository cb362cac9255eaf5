"""Readers of files, one module for each format: text in, values out; the caller reads the file."""

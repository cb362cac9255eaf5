"""The programs of `tools/`, tested."""

"""The public names of a package, read from the Python modules of a release without running them."""

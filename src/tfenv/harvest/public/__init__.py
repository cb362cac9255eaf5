"""The public names of a package, read off the Python modules of a release without running them."""

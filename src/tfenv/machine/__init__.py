"""This host: GPUs, driver, processor, glibc, container engines."""

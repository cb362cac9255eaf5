"""The vocabulary: values that all rooms share. Nothing here reads a disk, a socket or a clock."""

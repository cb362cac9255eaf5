"""The vocabulary: values that every room speaks of. Nothing here reads a disk, a socket or a clock."""

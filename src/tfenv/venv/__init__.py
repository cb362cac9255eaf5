"""Virtual environments: made, synchronised, found."""

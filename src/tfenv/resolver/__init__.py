"""One resolution for wheels and machines alike."""

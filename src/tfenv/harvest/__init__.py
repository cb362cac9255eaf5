"""From published wheels to rows of `constraints/`."""

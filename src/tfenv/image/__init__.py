"""Container engine and registries: build, run, digests."""

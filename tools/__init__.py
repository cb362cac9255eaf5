"""Programs for maintainers: they try releases for real, or record what is public, and write down the outcome."""

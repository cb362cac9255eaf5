"""Which release has which public name, with which parameters."""

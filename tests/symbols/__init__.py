"""Tests of `tfenv.symbols`."""

"""Tests of `tfenv.overlay`."""

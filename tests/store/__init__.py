"""Tests of `tfenv.store`."""

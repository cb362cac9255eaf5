"""Tests of `tfenv.venv`."""

"""Tests of the harvest room."""

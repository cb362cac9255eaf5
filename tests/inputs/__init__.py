"""Tests of what reads requirements files and projects."""

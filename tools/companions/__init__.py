"""Companions of TensorFlow, proven: locked beside a release, installed by hash, imported and used for real."""

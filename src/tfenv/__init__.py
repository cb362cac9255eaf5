"""tfenv: reproducible TensorFlow environments, for the wheels and for the machine."""

__version__ = "0.1.0"

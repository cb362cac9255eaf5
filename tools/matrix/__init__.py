"""Every TensorFlow release on every Python it has a wheel for: locked, installed, run, and the outcome written down."""

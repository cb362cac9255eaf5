"""What code, models and custom ops need of TensorFlow."""

"""What code, model files and custom ops ask of TensorFlow: bytes in, findings out; nothing is run."""

"""Python sources and notebooks: which symbols they use, and how."""

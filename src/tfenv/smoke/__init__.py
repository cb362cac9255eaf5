"""What runs inside an environment to prove it, and what the answer means."""

"""Dockerfiles: instructions, the shell commands of `RUN`, what they install, and the stages that they build."""

"""The tables of facts in `constraints/`, and what their rows require of a machine. Pure once loaded."""

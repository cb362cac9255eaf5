"""The database in `constraints/`, and what its rows ask of a machine. Pure once loaded."""

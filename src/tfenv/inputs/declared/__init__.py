"""Files of other tools that declare dependencies, or lock them: one module for each family of formats."""

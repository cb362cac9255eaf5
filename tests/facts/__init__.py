"""Facts: rows, tables, rules, the overlay."""

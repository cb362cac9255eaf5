"""README and docs: links, commands, examples."""

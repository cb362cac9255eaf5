"""The resolver, on indexes in memory."""

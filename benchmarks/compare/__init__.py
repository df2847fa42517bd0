"""Other libraries that do the same work, each under a Python of its own."""

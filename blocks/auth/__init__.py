"""Who we are: one authentication a file, found by itself."""

"""Pages whose records have not changed since the last run: told by a digest, and left alone."""

"""From bytes to values: one format a file."""

"""Saved connections: adding, listing, testing and removing what Prefect keeps as blocks."""

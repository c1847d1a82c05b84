"""SQL databases: rows and astrio's state in one transaction."""

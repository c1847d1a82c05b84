"""astrio's own database, for what belongs to no destination."""

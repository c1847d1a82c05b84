"""Actions: one request that is sent for one record."""

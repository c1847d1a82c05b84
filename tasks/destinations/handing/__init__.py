"""Destinations that records are handed to; what is remembered of the stream is in the ledger."""

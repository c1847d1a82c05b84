"""Webhooks: signature schemes, and the sources and targets that are saved."""

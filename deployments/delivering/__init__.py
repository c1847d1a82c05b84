"""Delivering the outbox: triggers of a folder are registered, and a warm process delivers."""

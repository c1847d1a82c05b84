"""Webhooks that come in and go out: the inbox of what arrives."""

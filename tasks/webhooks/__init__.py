"""Webhooks that come in and go out: the inbox of what arrives, the outbox of what leaves."""

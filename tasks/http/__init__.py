"""Sending requests: the client, its retries, where it may go, and what it says when it fails."""

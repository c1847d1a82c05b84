"""Connections, credentials and secrets saved as Prefect blocks, read without importing Prefect."""

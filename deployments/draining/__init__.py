"""Draining the inbox: events that were accepted become runs of their integrations."""

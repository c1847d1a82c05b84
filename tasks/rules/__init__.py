"""Validation rules, one module each (see `astrio.tasks.rules.base`)."""

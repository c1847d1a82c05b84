"""The user's own Python: found, imported, and kept from harming a run."""

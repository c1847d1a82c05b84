"""Several destinations for one source: each with a state of its own, the source read once."""

"""Events on their way out: emitted, routed, delivered, and what became of each."""

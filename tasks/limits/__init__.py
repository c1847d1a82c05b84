"""One limiter a credential, shared by all processes and machines."""

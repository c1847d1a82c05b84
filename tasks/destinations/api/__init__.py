"""An HTTP API as a destination: one request for each record, or for a batch of them."""

"""The outbox as a destination: each record becomes an event on its way to a webhook."""

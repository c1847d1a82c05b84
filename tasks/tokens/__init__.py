"""The token store: one refresh per expiry, whoever needs the token, durable before it is used."""

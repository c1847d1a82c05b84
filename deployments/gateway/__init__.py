"""The gateway: verifies webhooks and stores them in the inbox, without any Prefect server.

sources.py      which webhook sources a folder's integrations name
routes.py       what the gateway knows of a source: limits, secrets, addresses
app.py          the ASGI app: from a request to an answer
bodies.py       reading a body within its limits
addresses.py    who sends: proxies, allow-lists
rates.py        token buckets
committing.py   many events, one transaction
counting.py     what metrics and logs tell
pages.py        /health and /metrics
telling.py      what a user reads, once it listens
serving.py      granian, signals, reloading
"""

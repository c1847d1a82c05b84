"""The demo: a bundled shop API, and the acts that `astrio demo` plays with it."""

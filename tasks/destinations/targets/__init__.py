"""The forms of `push.to` that are no SQL database: one module for each, found by itself."""

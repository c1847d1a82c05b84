"""What `sanitize:` can do with texts before the rules judge them, one module each.

To add one, write a module of its name with a function `sanitize`, which takes a text and returns
what takes its place, and its test. Raised, a `SanitizingError` says why a text cannot be sanitised.
"""

"""The Prefect blocks: only this package of `astrio.blocks` imports Prefect.

`astrio.blocks.saved.classes` is what the `prefect.collections` entry point names.
"""

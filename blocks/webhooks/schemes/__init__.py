"""Signature schemes, one file each; a scheme is found by its `type`, without a registry."""

"""What `type:` can ask for, one module each (see `astrio.tasks.rules.base.TypeRule`)."""

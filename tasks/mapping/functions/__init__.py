"""The functions of the mapping language, one module each (see `astrio.tasks.mapping.catalogue`)."""

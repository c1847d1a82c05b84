"""What is done: the five verbs and their parts. Import name `astrio.tasks`."""

"""What is run: the integration model and the flows. Import name `astrio.flows`."""

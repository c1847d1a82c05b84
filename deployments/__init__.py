"""How it is scheduled, triggered and reached. Import name `astrio.deployments`."""

"""From integration files to Prefect deployments."""

"""What is stored: connections, credentials, secrets. Import name `astrio.blocks`."""

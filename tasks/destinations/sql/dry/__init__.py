"""A dry run of a SQL destination: in one transaction, which is rolled back."""

"""`astrio up`: a Prefect server, and a process that runs what a folder schedules."""

"""Data quality: figures of each field and run, drift between runs, thresholds."""

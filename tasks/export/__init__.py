"""Exports: a job is created, waited for, its files downloaded, and cleaned up."""

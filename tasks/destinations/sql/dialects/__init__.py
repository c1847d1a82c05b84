"""One module for each database, named as SQLAlchemy names the backend."""

"""Records that hang on other records: one request, or several pages, for each parent."""

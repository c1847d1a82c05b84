"""From page to page: one paginator a file, found by itself."""

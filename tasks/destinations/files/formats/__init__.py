"""How rows are written: a module for each format, found by its name, that has a class `Format`."""

"""Where rows go: one destination a package, found by the settings of `push`."""

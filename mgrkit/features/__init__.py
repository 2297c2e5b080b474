"""Sound to named numbers; each feature set's names and front end stand in `layout`."""

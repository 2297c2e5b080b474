"""Collections that everyone knows: their names, artists, splits and faults."""

"""Sets of descriptors that have a name."""

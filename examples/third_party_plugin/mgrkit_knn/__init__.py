"""k nearest neighbours for mgrkit."""

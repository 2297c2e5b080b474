"""Results as pictures and documents for people."""

"""Tracks: the table's schema, finding files, naming what is made of them, lineage, labels."""

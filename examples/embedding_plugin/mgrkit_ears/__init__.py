"""Embeddings of a network for mgrkit."""

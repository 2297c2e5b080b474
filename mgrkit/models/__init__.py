"""Trained models at hand, ready to answer."""

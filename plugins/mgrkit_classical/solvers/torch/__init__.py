"""Fits in torch, on any device."""

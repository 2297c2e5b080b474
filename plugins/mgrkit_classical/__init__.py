"""Classifiers of columns: linear and kernel machines, trees, clouds, neighbours, layers."""

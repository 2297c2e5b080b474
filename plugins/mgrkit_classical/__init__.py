"""Classifiers of feature tables: linear and kernel machines, random forests."""

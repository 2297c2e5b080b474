"""Classifiers of feature tables: support vector machines and random forests."""

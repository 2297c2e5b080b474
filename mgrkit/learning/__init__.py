"""Fitting and judging classifiers: arrays in, arrays out; knows nothing of files."""

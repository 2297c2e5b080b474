"""A piece of sound as what a classifier eats."""

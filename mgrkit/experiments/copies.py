"""How many altered copies of each sound of train are learnt from; importing it loads nothing."""

COPIES = 3
"""By each recipe: with the sound itself, a network hears four versions of a song in turn."""

MOST_COPIES = 100

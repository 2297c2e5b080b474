"""For the authors of plugins: things to test with that need no data of anybody's.

``mgrkit.synthetic.music`` makes music in four styles by any number of artists.
``mgrkit.testing.contract`` holds a classifier to its interface by one pytest line,
``mgrkit.testing.feature_contract`` a feature set.
"""

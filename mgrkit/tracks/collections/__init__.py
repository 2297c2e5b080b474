"""Collections that everyone knows, a file each: their names, artists, splits and faults.

A file has one name for others, ``COLLECTION``; `lookup` lists the files.
"""

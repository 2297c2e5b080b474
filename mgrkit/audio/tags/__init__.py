"""Who made a sound, and of which genre it is, by the file's own tags."""

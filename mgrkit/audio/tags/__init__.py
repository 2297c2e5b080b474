"""Who made a sound, by the file's own tags."""

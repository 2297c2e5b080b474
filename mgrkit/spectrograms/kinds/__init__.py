"""The kinds of spectrograms, a file each."""

"""mgrkit: noisy copies, spectrograms and genre models for music, many files at once."""

__version__ = "0.1.0"

"""Neural networks for mgrkit: a small residual CNN, a CRNN and a vision transformer."""

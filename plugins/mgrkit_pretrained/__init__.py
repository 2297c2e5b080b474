"""Networks that others have trained on far more music, as feature sets."""

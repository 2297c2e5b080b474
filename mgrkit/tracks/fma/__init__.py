"""FMA's metadata, as ``fma_metadata.zip`` holds it, in this program's terms."""

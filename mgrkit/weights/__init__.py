"""The weights of pretrained networks: kept, fetched, checked."""

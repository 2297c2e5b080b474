"""DATA and a split become a measured model, once or many times."""

"""Where results go: a folder, a table, a stream."""

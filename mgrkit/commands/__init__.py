"""One module per command, without a terminal: its plan, its job, its columns."""

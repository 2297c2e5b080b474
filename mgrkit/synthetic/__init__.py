"""Made music: for the demo, the tests and the examples."""

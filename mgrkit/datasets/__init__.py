"""DATA as labelled examples."""

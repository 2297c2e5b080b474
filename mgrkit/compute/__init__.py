"""Where a model runs: on which device, in which process, and until when; what rooms compute by."""

"""Networks of the literature, a file each family; their numbers of parameters are the published."""

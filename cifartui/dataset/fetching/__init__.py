"""Getting the published archives: which there are, one connection, one download, one data set."""

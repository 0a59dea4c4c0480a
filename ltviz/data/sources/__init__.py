"""The data sets, one or several of a kind in a file; what a file here defines is offered by name."""

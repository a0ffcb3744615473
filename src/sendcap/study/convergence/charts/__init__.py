"""Charts of convergence and comparisons."""

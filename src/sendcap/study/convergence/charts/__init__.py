"""Charts of convergence: when Delivered % is reliable, and what a change does to it."""

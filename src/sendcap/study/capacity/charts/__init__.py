"""Charts of limits and capacity."""

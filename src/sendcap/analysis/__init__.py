"""Analysis: what limits a delivery, worked out from a scenario and from what was simulated."""

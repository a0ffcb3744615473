"""Capacity: what limits a delivery, and how large or fast it can be."""

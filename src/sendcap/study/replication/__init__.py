"""Replications: the same scenario with other draws."""

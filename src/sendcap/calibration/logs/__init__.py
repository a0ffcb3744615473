"""Readers of delivery logs: one for each format, all of them streaming, to one table."""

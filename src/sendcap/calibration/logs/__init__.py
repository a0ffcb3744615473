"""Readers of delivery logs, one for each format: they stream a file into the table of attempts."""

"""The people whom deliveries go to, as arrays: one row for each address."""

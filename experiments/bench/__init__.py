"""A bench: what the model predicts of an MTA's configuration, and what the MTA then does.

Everything listens on loopback addresses, is bounded in messages and time, and is stopped by the
process ids that were started. Run it with ``python -m bench`` in ``experiments``.
"""

"""A queue that exists: when it is gone, what of it expires, and what helps."""

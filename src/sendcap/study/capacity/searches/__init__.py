"""How large a delivery may be, how fast a stream, and what to add for more."""

"""When Delivered % can be believed, and what a change does to it."""

"""Charts in one house style."""

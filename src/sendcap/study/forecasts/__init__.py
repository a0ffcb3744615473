"""Where Delivered % will end, given what the dashboard has shown so far."""

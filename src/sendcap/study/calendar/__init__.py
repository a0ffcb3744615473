"""A sending programme as a calendar: what is sent when, side by side with what, and in time."""

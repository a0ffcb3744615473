"""The what-if page: sliders over a scenario, and what is expected of it at once."""

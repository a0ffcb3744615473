"""The mean field: what is expected of a scenario, worked out as flows and without sampling."""

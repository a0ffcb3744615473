"""The fluid model: the expected course of a scenario, computed as flows and without sampling."""

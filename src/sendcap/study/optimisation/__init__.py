"""The cheapest settings that meet a target."""

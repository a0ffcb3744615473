"""Studies: questions that take many simulations to answer."""

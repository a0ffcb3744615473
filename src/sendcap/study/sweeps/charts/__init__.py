"""Charts of sweeps and of sensitivity."""

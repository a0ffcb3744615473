"""Charts of sweeps and sensitivity."""

"""Charts of a calibration."""

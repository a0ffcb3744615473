"""Calibration: from the logs of an MTA to a scenario, with the uncertainty of every figure.

``logs`` reads delivery logs into one table of attempts (`sendcap.calibration.attempts`); each
module beside it estimates one thing; `sendcap.calibration.calibrate` joins the estimates.
"""

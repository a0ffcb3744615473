"""Calibration: from the logs of an MTA to a scenario, with the uncertainty of every figure.

``logs`` reads them into one table of attempts (`sendcap.calibration.attempts`); the modules beside
it estimate one thing each; `sendcap.calibration.calibrate` puts it all together.
"""

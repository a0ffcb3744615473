"""The stakeholder report: one HTML file with the answers, the charts and a dashboard to drag.

It needs no network and nothing beside it, and prints to a PDF. `write_report` writes it.
"""

"""Readings of the ledger: reporting modes, KPIs, the Deployment dashboard, saved runs."""

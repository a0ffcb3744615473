"""The version of the model: in every saved run, and in the keys of a store of sweeps."""

from __future__ import annotations

from typing import Final

MODEL_VERSION: Final = 1
"""Raised by one whenever the same scenario and seed give another ledger, or a measure of it
another value."""

"""The version of the package, and that of the model."""

from importlib import metadata
from typing import Final

__version__: Final[str] = metadata.version("sendcap")

MODEL_VERSION: Final = 9
"""Rises with every change by which the same scenario and seed give other results.

Saved runs and the stores of studies bear it: results of different models are never mixed. The
golden ledgers in ``tests/model`` fail when results change and this number does not.
"""

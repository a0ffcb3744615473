"""The expected course of a delivery, computed without sampling (`sendcap.fluid`)."""

from sendcap.fluid.expected import Expected, expected

__all__ = ["Expected", "expected"]

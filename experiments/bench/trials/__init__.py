"""The experiments of each MTA."""

from __future__ import annotations

from typing import Final

from bench.trial import Trial
from bench.trials import opensmtpd, postfix

TRIALS: Final[tuple[Trial, ...]] = (*postfix.TRIALS, *opensmtpd.TRIALS)

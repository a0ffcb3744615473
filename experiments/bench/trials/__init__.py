"""The experiments of each MTA."""

from __future__ import annotations

from typing import Final

from bench.trial import Trial
from bench.trials import exim, opensmtpd, postfix

TRIALS: Final[tuple[Trial, ...]] = (*postfix.TRIALS, *exim.TRIALS, *opensmtpd.TRIALS)

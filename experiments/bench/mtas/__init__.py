"""The MTAs of the bench, by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from bench.mtas.exim import Exim
from bench.mtas.mta import Mta
from bench.mtas.opensmtpd import Opensmtpd
from bench.mtas.postfix import Postfix

MTAS: Final[Mapping[str, type[Mta]]] = {each.name: each for each in (Postfix, Exim, Opensmtpd)}

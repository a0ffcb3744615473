"""Keyed hashes: they join the attempts of a message, and cannot be turned back into it."""

from __future__ import annotations

import secrets
from hashlib import blake2b
from typing import Final

_MOST_REMEMBERED: Final = 1 << 16


class Identities:
    """Hashes with a random key that is never written anywhere and ends with the process."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)

    def of(self, text: bytes) -> int:
        """Return 64 bits for an identity."""
        return int.from_bytes(blake2b(text, digest_size=8, key=self._key).digest(), "little")

    def short(self, text: bytes) -> int:
        """Return 32 bits for what is only told apart within one message; never 0."""
        digest = blake2b(text, digest_size=4, key=self._key).digest()
        return int.from_bytes(digest, "little") or 1

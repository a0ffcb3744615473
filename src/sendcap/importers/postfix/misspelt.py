"""Parameters that are probably misspelt: Postfix ignores a name that it does not know."""

import re
from collections.abc import Container, Iterable
from typing import Final

from sendcap.importers.postfix.master import OF_A_TRANSPORT
from sendcap.importers.postfix.settings import CLIENTS, DEFAULTS
from sendcap.importers.postfix.table import TABLE
from sendcap.importers.reading import Entry
from sendcap.text.quoting import did_you_mean

_OF_ALL: Final = "TRANSPORT"
_KNOWN: Final = {*DEFAULTS, *(name for row in TABLE for name in row.names if _OF_ALL not in name)}
_TRANSPORTS: Final = ("default", "relay", *CLIENTS)
_AGENTS: Final = ("local", "virtual", "pipe", "error", "retry", "discard", "uucp")
_OF_ONES_OWN: Final = ("_bind_address6", *(f"_{name}" for name in _KNOWN))
"""Endings of names that master.cf may have: my_smtp_tls_security_level; the first is Postfix's."""
_LEAST: Final = 0.9
"""How much a name resembles another one: no other parameter of Postfix 3.7 is as close."""
_LEAST_OF_A_TRANSPORT: Final = 0.7
"""Of a word of four letters with two of them the wrong way round."""
_REFERENCE: Final = re.compile(r"\$[({]?\s*([A-Za-z0-9_]{1,200})")


def mentioned(entries: Iterable[Entry]) -> set[str]:
    """Return the names within the values of parameters: with these, a name of one's own is used."""
    return {name for entry in entries for name in _REFERENCE.findall(entry.value)}


def meant(name: str, transports: Container[str]) -> str:
    """Return what is wrong with a name that is probably meant for another one; or nothing.

    >>> meant("maximal_queue_liftime", ())
    'Postfix ignores this name; did you mean "maximal_queue_lifetime"?'
    >>> meant("lmtp_reply_filter", ()), meant("mydest", ())
    ('', '')
    """
    if name in _KNOWN or name.endswith(_OF_ONES_OWN):
        return ""
    ending = next(filter(name.endswith, OF_A_TRANSPORT), "")
    if ending:
        owner = name.removesuffix(ending)
        hint = "" if owner in (*_TRANSPORTS, *_AGENTS) or owner in transports else _transport(owner)
        return hint and f"no transport is called {owner}{hint}"
    client, _, rest = name.partition("_")
    if client in CLIENTS and any(f"{each}_{rest}" in _KNOWN for each in CLIENTS):
        return ""
    own = (f"{client}{each}" for each in OF_A_TRANSPORT)
    hint = did_you_mean(name, (*_KNOWN, *own), least=_LEAST)
    return hint and f"Postfix ignores this name{hint}"


def _transport(owner: str) -> str:
    """Return the end of a message with the transport that a misspelt one is meant for.

    Names such as smtp2 are those of transports in master.cf.

    >>> _transport("defualt"), _transport("smpt"), _transport("smtp2")
    ('; did you mean "default"?', '; did you mean "smtp"?', '')
    """
    turned = [each for each in _TRANSPORTS if sorted(each) == sorted(owner)]
    return did_you_mean(owner, turned or _TRANSPORTS[:1], least=_LEAST_OF_A_TRANSPORT)

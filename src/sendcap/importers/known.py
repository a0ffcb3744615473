"""Well-known mailbox domains: what people call their provider, and a mail exchanger of each.

A configuration names providers by their mail exchangers (MX), a planner by what everybody calls
them. The hosts are those that public DNS gives for these domains; ``--mx`` has the last word.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class _Known(NamedTuple):
    names: tuple[str, ...]
    """What the provider is called, the most usual name first."""
    domains: tuple[str, ...]
    """The first is asked for by the names."""
    mx: str


_PROVIDERS: Final = (
    _Known(("gmail", "google"), ("gmail.com", "googlemail.com"), "gmail-smtp-in.l.google.com"),
    _Known(
        ("yahoo", "aol"),
        ("yahoo.com", "aol.com", "ymail.com", "rocketmail.com", "yahoo.co.uk", "yahoo.fr"),
        "mta5.am0.yahoodns.net",
    ),
    _Known(
        ("outlook", "hotmail", "microsoft"),
        ("outlook.com", "hotmail.com", "live.com", "msn.com", "hotmail.co.uk", "hotmail.fr"),
        "outlook-com.olc.protection.outlook.com",
    ),
    _Known(("icloud", "apple"), ("icloud.com", "me.com", "mac.com"), "mx01.mail.icloud.com"),
    _Known(("comcast",), ("comcast.net",), "mx1a1.comcast.net"),
    _Known(("orange",), ("orange.fr", "wanadoo.fr"), "smtp-in.orange.fr"),
    _Known(("web.de",), ("web.de",), "mx-ha02.web.de"),
    _Known(("gmx",), ("gmx.net", "gmx.de", "gmx.at"), "mx00.gmx.net"),
    _Known(("mail.com",), ("mail.com",), "mx00.mail.com"),
    _Known(("yahoo-japan",), ("yahoo.co.jp",), "mx1.mail.yahoo.co.jp"),
    _Known(("qq",), ("qq.com",), "mx1.qq.com"),
    _Known(("163", "netease"), ("163.com",), "163mx01.mxmail.netease.com"),
)

_BY_NAME: Final = {name: its for its in _PROVIDERS for name in its.names}
_BY_DOMAIN: Final = {domain: its for its in _PROVIDERS for domain in its.domains}

NAMES: Final = tuple(_BY_NAME)
"""What well-known providers are called."""
OTHER: Final = "other"
"""What the group of all other domains is called."""


def domain_of(name: str) -> str | None:
    """Return the domain that a name stands for, if it is well known.

    Examples
    --------
    >>> domain_of("gmail"), domain_of("GMail.com"), domain_of("nobody")
    ('gmail.com', 'gmail.com', None)
    """
    name = name.casefold()
    if name in _BY_DOMAIN:
        return name
    return _BY_NAME[name].domains[0] if name in _BY_NAME else None


def mx_of(domain: str) -> tuple[str, ...]:
    """Return a mail exchanger of a well-known domain, or nothing."""
    its = _BY_DOMAIN.get(domain.casefold())
    return () if its is None else (its.mx,)


def names_of(name: str) -> tuple[str, ...]:
    """Return what a well-known domain's provider is called, the most usual name first."""
    name = name.casefold()
    its = _BY_NAME.get(name) or _BY_DOMAIN.get(name)
    return () if its is None else its.names

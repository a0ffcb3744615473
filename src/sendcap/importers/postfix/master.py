"""Postfix's ``master.cf``: its programs, and which of them reads a parameter.

A parameter given with ``-o`` holds for the program on that line alone: a limit that the queue
manager keeps is not changed by a client's line.
"""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from sendcap.importers.postfix.expansion import closing
from sendcap.importers.postfix.settings import logical_lines
from sendcap.importers.reading import Entry, Text
from sendcap.text.quoting import shown

CLIENT: Final = "client"
MANAGER: Final = "queue manager"
ROUTER: Final = "trivial-rewrite"
MASTER: Final = "master"
_PROGRAMS: Final = {
    "smtp": CLIENT,
    "lmtp": CLIENT,
    "relay": CLIENT,
    "qmgr": MANAGER,
    "oqmgr": MANAGER,
    "nqmgr": MANAGER,
    "trivial-rewrite": ROUTER,
}
OF_A_TRANSPORT: Final = (
    "_destination_concurrency_limit",
    "_destination_rate_delay",
    "_transport_rate_delay",
    "_destination_recipient_limit",
    "_initial_destination_concurrency",
    "_destination_concurrency_positive_feedback",
    "_destination_concurrency_negative_feedback",
    "_destination_concurrency_failed_cohort_limit",
)
"""Endings of the parameters that each transport may have."""
_OF_THE_MANAGER: Final = (
    *OF_A_TRANSPORT,
    "initial_destination_concurrency",
    "_backoff_time",
    "_queue_lifetime",
    "queue_run_delay",
    "transport_retry_time",
    "_delivery_slots",
    "_delivery_slot_cost",
    "_delivery_slot_loan",
    "_delivery_slot_discount",
    "_recipient_refill_limit",
    "_recipient_refill_delay",
    "_extra_recipient_limit",
)
OF_THE_ROUTER: Final = (
    "default_transport",
    "relay_transport",
    "relayhost",
    "transport_maps",
    "sender_dependent_default_transport_maps",
    "sender_dependent_relayhost_maps",
)
_OF_THE_CLIENT: Final = ("smtp_", "lmtp_")
_FIELDS: Final = 8
_WORD: Final = re.compile(r"\S+")
_TYPES: Final = ("unix", "fifo")


class Service(NamedTuple):
    """A program that sends mail, decides when, or decides where to."""

    program: str  # one of the names above
    command: str
    processes: int | None  # at most; None for ``default_process_limit``
    options: dict[str, Entry]  # parameters of this program alone
    where: str


def reader_of(name: str) -> str:
    """Return the program that reads a parameter, or nothing if it is none of these.

    The queue manager's are in ``src/qmgr/qmgr.c`` and ``qmgr_transport.c``, the client's in
    ``src/smtp/smtp_params.c``; "the limit is enforced by the queue manager" (``postconf(5)``).
    """
    if name == "default_process_limit":
        return MASTER
    if name in OF_THE_ROUTER:
        return ROUTER
    if name.endswith(_OF_THE_MANAGER) or name.startswith("qmgr_"):
        return MANAGER
    return CLIENT if name.startswith(_OF_THE_CLIENT) else ""


def services_of(text: Text) -> dict[str, Service]:
    """Read the clients, the queue manager and the router in a ``master.cf``."""
    services: dict[str, Service] = {}
    for number, line in logical_lines(text):
        fields = line.split(None, _FIELDS - 1)
        if len(fields) < _FIELDS:
            raise text.error(
                number,
                f"is not a service; it has {len(fields)} of the eight fields from name to command",
            )
        command, _, rest = fields[7].partition(" ")
        if fields[1] not in _TYPES or command not in _PROGRAMS:
            continue
        processes = None
        if fields[6] != "-":
            if not fields[6].isdecimal():
                raise text.error(number, f"maxproc must be a number or -, not {shown(fields[6])}")
            # Zero is no limit.
            processes = int(fields[6][:9]) or None
        options = _options(text, number, rest)
        where = text.where(number)
        services[fields[0]] = Service(_PROGRAMS[command], command, processes, options, where)
    return services


def _options(text: Text, number: int, arguments: str) -> dict[str, Entry]:
    """Return the parameters of a line: ``-o name=value``, or in braces with spaces."""
    options: dict[str, Entry] = {}
    pieces = _pieces(text, number, arguments)
    for piece in pieces:
        if not piece.startswith("-o"):
            continue
        assignment = piece[2:] or next(pieces, "")
        name, equals, value = assignment.partition("=")
        if equals:
            name = name.strip()
            options[name] = Entry(name, value.strip(), text.where(number))
    return options


def _pieces(text: Text, number: int, arguments: str) -> Iterator[str]:
    """Yield the arguments of a command; one in braces may have spaces (``master(5)``)."""
    position = 0
    while (word := _WORD.search(arguments, position)) is not None:
        position = word.end()
        if not word[0].startswith("{"):
            yield word[0]
            continue
        try:
            position = closing(arguments, word.start()) + 1
        except ValueError as problem:
            raise text.error(number, str(problem)) from None
        yield arguments[word.start() + 1 : position - 1]

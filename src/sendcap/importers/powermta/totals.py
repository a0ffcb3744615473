"""PowerMTA's limits over many queues: of a virtual MTA, of its pool, and of all together.

``max-smtp-out`` of a virtual MTA is over all of its queues, and so is ``max-smtp-msg-rate``. Those
of a pool are inherited by its virtual MTAs (User's Guide 5.0, 3.3.12.2, 3.3.12.8, 3.3.13 and
3.3.1.1).
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from sendcap.importers.draft import Draft
from sendcap.importers.powermta.limits import sum_of, window_of
from sendcap.importers.powermta.syntax import Tag, number_or_none, rate_or_none
from sendcap.importers.reading import Entry

TOTAL: Final = "total-max-smtp-out"
OF_VIRTUAL_MTAS: Final = ("max-smtp-out", "max-smtp-msg-rate")
"""Directives of a virtual MTA or a pool, over all of its queues."""


def _owned(name: str, virtual_mta: Tag, pools: Sequence[Tag]) -> list[Entry]:
    """Return a virtual MTA's limit, if it has one, and those of its pools that this replaces."""
    entries = (
        next((each for each in reversed(tag.directives) if each.name == name), None)
        for tag in (virtual_mta, *pools)
    )
    return list(filter(None, entries))


def put_totals(
    draft: Draft, top: Tag, virtual_mtas: Sequence[Tag], pools: Sequence[Sequence[Tag]]
) -> Iterator[Entry]:
    """Put the limits over many queues into the scenario; yield the directives that are reported."""
    total = {entry.name: entry for entry in top.directives}.get(TOTAL)
    if total is not None:
        most = total.read(number_or_none)
        yield total
        if most is not None and _connections(draft) > most:
            draft.shared_limit(TOTAL, {"connections": most}, total)
        else:
            draft.overruled(total, "the limits of the queues are lower")
    for name in OF_VIRTUAL_MTAS:
        limits = [_owned(name, *each) for each in zip(virtual_mtas, pools, strict=True)]
        entries = dict.fromkeys(each[0] for each in limits if each)
        if entries:
            yield from entries
            _put(draft, name, [next(iter(each), None) for each in limits])
        for each in limits:
            for entry in each[1:]:
                if entry not in entries:
                    yield entry
                    draft.overruled(entry, "the virtual MTA has its own")


def _put(draft: Draft, name: str, entries: Sequence[Entry | None]) -> None:
    """Put the limits of the virtual MTAs, which the scenario has as one, together."""
    reader: Any = number_or_none if name == "max-smtp-out" else rate_or_none
    values = [None if entry is None else entry.read(reader) for entry in entries]
    named = list(dict.fromkeys(entry for entry in entries if entry is not None))
    limits = [value for value in values if value is not None]
    if len(limits) < len(values):
        why = "sets no limit"
        if limits:
            why = (
                f"limits {len(limits)} of {len(values)} virtual MTAs, which the scenario has "
                f"together; choose with --source"
            )
        for entry in named:
            report = draft.warn if limits else draft.overruled
            report(entry, why)
        return
    # With --ips there are so many virtual MTAs like these.
    times = draft.addresses / len(limits)
    value: dict[str, Any]
    if name == "max-smtp-out":
        connections = round(sum(limits) * times)
        if _connections(draft) <= connections:
            for entry in named:
                draft.overruled(entry, "the limits of the queues are lower")
            return
        value = {"connections": connections}
    else:
        value = {"rate": window_of(sum_of(limits, times))}
    written = ", ".join(dict.fromkeys(entry.value for entry in named))
    together = len(limits) * times
    why = f"{written} for each of {together:.0f} virtual MTAs" if together > 1.0 else ""
    entry = Entry(f"virtual MTA {name}", written, named[0].where)
    draft.used |= set(named)
    draft.shared_limit(f"virtual MTAs, {name}", value, entry, why)


def _connections(draft: Draft) -> int:
    """Return the connections of all providers together."""
    each = [provider["connections_per_ip"] for provider in draft.data["providers"].values()]
    return int(sum(each) * draft.addresses)

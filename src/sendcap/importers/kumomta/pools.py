"""KumoMTA's sources helper: egress pools, whose sources take messages in turn.

A source with weight 2 has two turns for each of one with weight 1, and one with weight 0 none; the
weight is 1 where none is given. Sources: KumoMTA, ``assets/policy-extras/sources.lua`` and
``docs/reference/kumo/make_egress_pool/entries.md``.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from sendcap.importers.draft import Draft
from sendcap.importers.imported import as_name
from sendcap.importers.kumomta.files import KumomtaFile
from sendcap.importers.kumomta.queues import Queues
from sendcap.importers.kumomta.scheduled import mail_of
from sendcap.importers.reading import Entry, in_lowest_terms, read_configuration
from sendcap.text.quoting import did_you_mean, shown

_EACH: Final = "KumoMTA's limits are those of each egress source."
_MOST: Final = 1_000_000


@dataclass
class Pool:
    """An egress pool."""

    where: str
    weights: dict[str, int] = field(default_factory=dict)  # by source

    @property
    def turns(self) -> list[int]:
        """The weights of the sources that send, in lowest terms, at most those of the model."""
        return in_lowest_terms([weight for weight in self.weights.values() if weight > 0])


def pools_of(paths: Sequence[str | Path]) -> dict[str, Pool]:
    """Read files of the sources helper and merge them in order."""
    pools: dict[str, Pool] = {}
    for path in paths:
        _File(read_configuration(path, "KumoMTA sources")).merge(pools)
    return pools


class _File(KumomtaFile):
    def merge(self, pools: dict[str, Pool]) -> None:
        for name, value in self.data.items():
            if name not in ("pool", "source"):
                raise self.error((name,), "is neither pool nor source; give a sources file")
            for one, table in self.table(value, (name,)).items():
                entries = self.table(table, (name, one))
                if name == "pool":
                    pool = pools.setdefault(one, Pool(self.where((name, one))))
                    for source, entry in entries.items():
                        pool.weights[source] = self._weight(entry, (name, one, source))

    def _weight(self, entry: Any, place: tuple[str, ...]) -> int:
        weight = self.table(entry, place).get("weight", 1)
        if isinstance(weight, bool) or not isinstance(weight, int) or not 0 <= weight <= _MOST:
            message = f"must be a whole number up to {_MOST:,}, not {shown(weight)}"
            raise self.error((*place, "weight"), message)
        return weight


class Sending:
    """The pools that deliveries leave from."""

    def __init__(self, draft: Draft, pools: dict[str, Pool], queues: Queues) -> None:
        self._draft = draft
        self._pools = pools
        self._queues = queues
        self.said: dict[str, Entry] = {}  # what says which pool it is, by delivery

    def put(self) -> None:
        """Put the sources of the pools into the scenario, or the number of the options."""
        chosen = self._chosen()
        if self._draft.plan.ips is not None or chosen is None:
            self._draft.source_addresses(_EACH)
            self._report({}, "replaced by --ips" if chosen else "no mail is known to leave from it")
            return
        names = list(dict.fromkeys(chosen.values()))
        for name in names:
            if not self._pools[name].turns:
                self._draft.source_addresses(_EACH)
                self._draft.warn(self._entry(name), "has no source that sends; set --ips")
                return
        turns = {name: self._pools[name].turns for name in names}
        uneven = [name for name in names if len(set(turns[name])) > 1]
        if len(names) == 1 and not uneven:
            entry = self._entry(names[0])._replace(value=len(turns[names[0]]))
            self._draft.source_addresses(_EACH, entry)
        else:
            self._put_pools(turns, uneven, chosen)
        self._report(turns, "no delivery leaves from it")

    def _put_pools(
        self, turns: dict[str, list[int]], uneven: Sequence[str], chosen: dict[str, str]
    ) -> None:
        self._draft.without_addresses_of_its_own()
        names: dict[str, str] = {}  # in the scenario
        for name, weights in turns.items():
            names[name] = as_name(name, names.values())
            pool: dict[str, Any] = {"ips": len(weights)}
            why = "its sources take turns"
            if uneven:
                pool["weights"] = weights
                why = "its sources take turns by weight, each with a queue of its own"
            self._draft.put(("mta", "pools", names[name]), pool, self._entry(name), why)
        if uneven:
            self._draft.put(("mta", "queues"), "per-ip", self._entry(uneven[0]))
        for number, delivery in enumerate(self._draft.base.deliveries):
            name = chosen[delivery.name]
            entry = self.said.get(delivery.name, self._entry(name))
            entry = entry._replace(name="egress_pool", value=name)
            self._draft.put(("deliveries", number, "pool"), names[name], entry)

    def _chosen(self) -> dict[str, str] | None:
        """Return the pool of each delivery; None if that of one is not known."""
        if not self._pools:
            return None
        deliveries = [delivery.name for delivery in self._draft.base.deliveries]
        found: dict[str, str] = {}
        for mail in mail_of(self._queues, deliveries):
            entry = self._queues.of(None, mail.tenant, mail.campaign).get("egress_pool")
            name = next(iter(self._pools)) if len(self._pools) == 1 else ""
            if entry is not None:
                name = str(entry.value)
            if name not in self._pools:
                have = ", ".join(map(shown, self._pools))
                hint = did_you_mean(name, self._pools) or f"; the files have {have}"
                what = f"there is no pool {shown(name)}" if name else "no egress_pool says which"
                self._draft.warn(entry or Entry("egress_pool"), f"{what}{hint}; set --ips")
                return None
            theirs = mail.deliveries or deliveries
            found |= dict.fromkeys(theirs, name)
            if entry is not None:
                self.said |= dict.fromkeys(theirs, entry)
        return found

    def _entry(self, name: str) -> Entry:
        weights = self._pools[name].weights
        value = ", ".join(f"{source} {weight}" for source, weight in weights.items())
        return Entry(f"pool {shown(name)}", value, self._pools[name].where)

    def _report(self, used: dict[str, list[int]], why: str) -> None:
        for name in self._pools:
            if name not in used:
                self._draft.overruled(self._entry(name), why)

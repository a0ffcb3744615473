"""A scenario being imported: the base, and the values that a configuration replaces."""

import json
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import PurePath
from typing import Any, Final

from pydantic import TypeAdapter

from sendcap import mailbox_providers as known
from sendcap.errors import ConfigurationError, SendcapWarning
from sendcap.importers.imported import (
    BASE,
    DEFAULT,
    UNUSED,
    USED,
    WARNING,
    Finding,
    Imported,
    as_cell,
    as_name,
    in_short,
)
from sendcap.importers.plan import Group, Plan, addressed_by
from sendcap.importers.reading import Entry
from sendcap.scenario.commented import commented
from sendcap.scenario.distributions import Distribution
from sendcap.scenario.durations import format_duration, parse_duration
from sendcap.scenario.files import from_dict, load, to_dict
from sendcap.scenario.random_time import RandomTime
from sendcap.scenario.section import Place
from sendcap.text.quoting import dotted, shown, visible

_LIMITS: Final = (
    "connections_per_ip",
    "messages_per_connection",
    "idle_timeout",
    "rate",
    "connection_rate",
    "connection_scaling",
    "suspend",
    "retry",
)
"""Keys of a provider that depend on the MTA; the others depend on the provider."""

_TIME: Final[TypeAdapter[RandomTime]] = TypeAdapter(Distribution)

_LONGEST_LIFE_S: Final = parse_duration("366d")


class Draft:
    """A scenario in the making."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.base = load(plan.base)
        self.base_name = visible(str(plan.base))
        self.data = to_dict(self.base, defaults=False)
        self.data.setdefault("mta", {})
        self.used: set[Entry] = set()  # entries with a value in the scenario
        self.findings: list[Finding] = []
        self._comments: dict[Place, str] = {}  # sources of values
        self._base_providers: dict[str, Any] = self.data.pop("providers")

    def put(self, place: Place, value: Any, entry: Entry, why: str = "") -> None:
        """Put the value of an entry into the scenario; an entry without a place is a default."""
        self._set(place, value)
        self.used.add(entry)
        status = USED if entry.where else DEFAULT
        written = f"{dotted(place)} = {in_short(json.dumps(value, ensure_ascii=False))}"
        self._report(status, entry, why, written)
        self._comments[place] = _origin(entry, why)

    def _set(self, place: Place, value: Any) -> None:
        table: Any = self.data
        for piece in place[:-1]:
            table = table[piece] if isinstance(piece, int) else table.setdefault(piece, {})
        table[place[-1]] = value

    def limit(self, group: Group, key: str, value: Any, entry: Entry, why: str = "") -> None:
        """Put a limit of a provider into the scenario."""
        self.put(("providers", group.name, key), value, entry, why)

    def put_each(self, place: Place, each: Sequence[tuple[Any, Entry, str]]) -> None:
        """Put a value into the scenario, or a list of values, of which each holds.

        Each has its value, the entry behind it and why.
        """
        if len(each) == 1:
            self.put(place, *each[0])
            return
        self._set(place, [value for value, *_ in each])
        self._put_within(place, [(number, *one) for number, one in enumerate(each)])

    def put_table(
        self, place: Place, fixed: Mapping[str, Any], each: Sequence[tuple[str, Any, Entry, str]]
    ) -> None:
        """Put a table into the scenario, with values that are in no entry and others that are."""
        self._set(place, dict(fixed))
        self._put_within(place, each)

    def _put_within(self, place: Place, each: Sequence[tuple[str | int, Any, Entry, str]]) -> None:
        """Put values within a list or table, which has one comment for all of them."""
        for key, *one in each:
            self.put((*place, key), *one)
        origins = [self._comments.pop((*place, key)) for key, *_ in each]
        self._comments[place] = "; ".join(origins)

    def limits(self, group: Group, key: str, each: Sequence[tuple[Any, Entry, str]]) -> None:
        """Put limits of a provider into the scenario, of which each holds."""
        self.put_each(("providers", group.name, key), each)

    def shared_limit(
        self,
        name: str,
        value: Mapping[str, Any],
        entry: Entry,
        why: str = "",
        *,
        providers: Sequence[str] = (),
        deliveries: Sequence[str] = (),
    ) -> None:
        """Put a limit over several queues into the scenario, of all that are not named.

        ``value`` has its ``rate``, its ``connections`` or both, as a scenario file has them.
        """
        limits = self.data.setdefault("limits", [])
        covers = {"providers": list(providers), "deliveries": list(deliveries)}
        named = {key: names for key, names in covers.items() if names}
        limits.append({"name": as_name(name, [limit["name"] for limit in limits]), **named})
        for key, each in value.items():
            self.put(("limits", len(limits) - 1, key), each, entry, why)

    def lifetime(self, seconds: float, entry: Entry, why: str = "") -> None:
        """Let every message live as long as an entry that has been put lets it."""
        text = format_duration(min(seconds, _LONGEST_LIFE_S))
        if seconds > _LONGEST_LIFE_S:
            self.warn(entry, f"the messages of a scenario live at most {text}")
        self.data["mta"]["longest_validity"] = text
        self._comments["mta", "longest_validity"] = _origin(entry, why)
        for number, delivery in enumerate(self.data["deliveries"]):
            delivery["validity"] = text
            self._comments["deliveries", number, "validity"] = _origin(entry, why)

    def decided(self, entry: Entry, key: str, why: str) -> None:
        """Report a setting that decides which others hold, or is a part of their values.

        ``why`` says what it does: the setting's name comes before it.
        """
        self.used.add(entry)
        self._report(USED, entry, f"{entry.name} {why}", key)

    def overruled(self, entry: Entry, why: str) -> None:
        """Report a setting that another one overrules: it is understood, so its value is shown."""
        self._report(UNUSED, entry, why)

    def unused(self, entry: Entry, why: str) -> None:
        """Report a setting that is not in the scenario; its value may be a password."""
        hidden = "" if entry.value == "" else "(not shown)"
        self._report(UNUSED, entry._replace(value=hidden), why)

    def warn(self, entry: Entry, why: str) -> None:
        """Report a probable mistake."""
        self._report(WARNING, entry, why)

    def _report(self, status: str, entry: Entry, why: str, scenario: str = "") -> None:
        value = in_short(entry.value)
        self.findings.append(Finding(status, entry.name, value, entry.where, scenario, why))

    def keep(self, setting: str, place: Place, value: str, why: str) -> None:
        """Report a value that is in no configuration: the base's, or an option's."""
        scenario = dotted(place) + (f" = {value}" if value else "")
        self.findings.append(Finding(BASE, setting, scenario=scenario, why=why))
        self._comments.setdefault(place, visible(why))

    def groups(self, group_of: Callable[[str], str]) -> tuple[Group, ...]:
        """Return the providers, and put the audience into the deliveries.

        ``group_of`` leads from a domain of an audience table to a provider of the scenario.
        """
        addressed = addressed_by(self.plan, self.base, group_of)
        if not (deliveries := self.data.get("deliveries")):
            raise self._unsuited("has no [[deliveries]], only a [[backlog]]; add one")
        if self.base.population is not None and addressed.shares is not None:
            why = "has a [population], whose people are the audience; leave out the audience"
            raise self._unsuited(why)
        counts = [f"{each.name}: {each.messages:,}" for each in self.base.deliveries]
        if addressed.shares is None:
            value = "; ".join(f"{count} messages" for count in counts)
            self.keep("deliveries", ("deliveries",), value, "set it with --audience")
        else:
            for number, delivery in enumerate(deliveries):
                delivery["audience"] = dict(addressed.shares)
                self._comments["deliveries", number, "audience"] = "from --audience"
        if addressed.messages is not None:
            deliveries[0]["messages"] = addressed.messages
            self._comments["deliveries", 0, "messages"] = "from the options"
        elif addressed.shares is not None:
            self.keep("messages", ("deliveries",), "; ".join(counts), "set it with --messages")
        return addressed.groups

    def _unsuited(self, why: str) -> ConfigurationError:
        return ConfigurationError(f"{self.base_name}: {why}, or set another --base")

    def provider(self, group: Group, also: tuple[str, ...] = (), *, limits: bool = False) -> None:
        """Begin a provider with the behaviour of a similar one in the base.

        The base may have it under further names; with ``limits`` its limits are taken, too.
        """
        names = (group.name, *known.names_of(group.name), *also, known.OTHER)
        like = next((name for name in names if name in self._base_providers), None)
        if like is None:
            known_ones = ", ".join(shown(name) for name in self._base_providers)
            raise self._unsuited(
                f'has neither provider {shown(group.name)} nor "other" for its connect and '
                f"transaction times, only {known_ones}; add one"
            )
        similar = self._base_providers[like]
        behaviour = {key: value for key, value in similar.items() if limits or key not in _LIMITS}
        self.data.setdefault("providers", {})[group.name] = behaviour
        source = f"from provider {shown(like)} of {self.base_name}"
        place = ("providers", group.name)
        self._comments[place] = visible(f"values without a comment are {source}")
        kinds = "limits, times and bounces" if limits else "times and bounces"
        self.keep(", ".join(behaviour), place, "", f"{kinds} {source}")

    def time(self, group: Group, key: str) -> RandomTime:
        """Return a time of a provider, such as ``"connect_time"``."""
        return _TIME.validate_python(self.data["providers"][group.name][key])

    def attempt_s(self, group: Group, per_connection: int | None) -> float:
        """Return the mean duration of an attempt, including a share of the connect time."""
        transaction_s = self.time(group, "transaction_time").mean_s
        if per_connection is None:
            return transaction_s
        return transaction_s + self.time(group, "connect_time").mean_s / per_connection

    def source_addresses(self, why: str, number: Entry | None = None) -> None:
        """Set the number of source addresses: of the options, the configuration or the base."""
        place = ("mta", "ips")
        if self.plan.ips is not None or number is not None:
            self.without_addresses_of_its_own()
        if self.plan.ips is None and number is not None:
            self.put(place, number.value, number, why)
            return
        ips, source = self.plan.ips, "from --ips"
        if ips is None:
            ips = self.base.mta.ips
            source = f"from {self.base_name}; set yours with --ips. {why}"
        self.data["mta"]["ips"] = ips
        self.keep("source addresses", place, str(ips), source)

    def without_addresses_of_its_own(self) -> None:
        """Leave out the base's source addresses and pools, which others replace."""
        for key in ("ips", "pools", "queues"):
            self.data["mta"].pop(key, None)
        for delivery in self.data["deliveries"]:
            delivery.pop("pool", None)

    @property
    def addresses(self) -> int:
        """Number of source addresses, of all pools together."""
        pools = self.data["mta"].get("pools", {}).values()
        return sum(pool["ips"] for pool in pools) or int(self.data["mta"].get("ips", 1))

    def finished(self, mta: str, sources: list[str]) -> Imported:
        """Return the result; ``sources`` are the names of the MTA's files."""
        self._report_base()
        self._warn_of_rules_that_never_start()
        self.data["title"] = f"Imported from {mta}"
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", SendcapWarning)
            scenario = from_dict(self.data, name="imported")
        for warning in caught:
            place, _, message = str(warning.message).partition(": ")
            self.warn(Entry(place), message)
        head = [
            visible(f"Imported from {mta}: {', '.join(sources)}."),
            visible(f"Values without a comment are from {self.base_name}; replace them by yours."),
        ]
        text = commented(self.data, self._comments, head)
        findings = tuple(Finding(*map(as_cell, finding)) for finding in self.findings)
        return Imported(scenario, text, findings)

    def _report_base(self) -> None:
        """Report the sections that are taken from the base."""
        source = f"from {self.base_name}"
        for key, value in self.data["mta"].items():
            if not any(place[:2] == ("mta", key) for place in self._comments):
                self.keep(f"mta {key}", ("mta", key), in_short(value), source)
        for key in ("relay", "feedback", "engagement", "reporting"):
            if key in self.data:
                self.keep(key, (key,), "", source)

    def _warn_of_rules_that_never_start(self) -> None:
        common = self.data["mta"].get("suspend", "none")
        ruled = [
            name
            for name, provider in self.data["providers"].items()
            if "tolerance" not in provider and provider.get("suspend", common) != "none"
        ]
        if ruled:
            example = dotted(("providers", ruled[0], "tolerance"))
            self.warn(
                Entry("suspend"),
                f"the rules for throttled answers at {', '.join(ruled)} never start, because "
                f"the tolerance of a provider is in no configuration; set it if you know it, "
                f'such as {example} = "50/s"',
            )


def _origin(entry: Entry, why: str) -> str:
    """Return the source of a value for a comment."""
    file = PurePath(entry.where).name
    origin = f"{file} {entry.name}" if file else f"default of {entry.name}"
    return visible(f"{origin}; {why}" if why else origin)

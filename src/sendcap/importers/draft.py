"""A scenario being imported: the base, and the values that a configuration replaces."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Mapping
from pathlib import PurePath
from typing import Any, Final

from pydantic import TypeAdapter

from sendcap import mailbox_providers as known
from sendcap.errors import ConfigurationError, SendcapWarning
from sendcap.importers.findings import BASE, DEFAULT, UNUSED, USED, WARNING, Finding, masked
from sendcap.importers.plan import Group, Plan, addressed_by
from sendcap.importers.reading import Entry
from sendcap.scenario.distributions import Distribution
from sendcap.scenario.files import from_dict, load, to_dict
from sendcap.scenario.random_time import RandomTime
from sendcap.scenario.scenario import Scenario
from sendcap.text.quoting import did_you_mean, dotted, shown, visible

_LIMITS: Final = (
    "connections_per_ip",
    "messages_per_connection",
    "idle_timeout",
    "rate",
    "connection_scaling",
    "suspend",
)
"""Keys of a provider that depend on the MTA; the others depend on the provider."""

_TIME: Final[TypeAdapter[Any]] = TypeAdapter(Distribution)

_LONGEST: Final = 300
"""Characters of a value in the report."""


class Draft:
    """A scenario in the making.

    Parameters
    ----------
    plan
        Choices of the user beside the configuration.

    Attributes
    ----------
    base
        Scenario for everything that the configuration lacks.
    data
        The scenario as nested dictionaries.
    comments
        Sources of values, by their places in the scenario.
    findings
        Rows of the report.

    Raises
    ------
    SendcapError
        If the base or the audience cannot be read.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.base = load(plan.base)
        self.base_name = visible(str(plan.base))
        self.data = to_dict(self.base, defaults=False)
        self.data.setdefault("mta", {})
        self.comments: dict[tuple[str | int, ...], str] = {}
        self.findings: list[Finding] = []
        self._base_providers: dict[str, Any] = self.data.pop("providers")

    def set(
        self,
        place: tuple[str | int, ...],
        value: Any,
        setting: str,
        written: Any = "",
        where: str = "",
        why: str = "",
        status: str = USED,
    ) -> None:
        """Put a value of the configuration, or the MTA's default, into the scenario.

        Parameters
        ----------
        place
            Keys of the scenario that lead to the value.
        value
            Value in the scenario.
        setting, written, where
            Name, value and place in the configuration.
        why
            Explanation.
        """
        table: Any = self.data
        for piece in place[:-1]:
            table = table.setdefault(piece, {})
        table[place[-1]] = value
        self._note(place, value, Finding(status, setting, _text(written), where, why=why))

    def put(self, place: tuple[str | int, ...], value: Any, entry: Entry, why: str = "") -> None:
        """Put the value of an entry into the scenario; an entry without a place is a default."""
        status = USED if entry.where else DEFAULT
        self.set(place, value, *entry, why, status)

    def default(self, place: tuple[str | int, ...], value: Any, setting: str, why: str) -> None:
        """Put the MTA's default into the scenario."""
        self.set(place, value, setting, why=why, status=DEFAULT)

    def unused(self, setting: str, value: Any = "", where: str = "", why: str = "") -> None:
        """Report a setting that is not in the scenario."""
        self._report(UNUSED, setting, masked(setting, value), where, why)

    def warn(self, setting: str, value: Any = "", where: str = "", why: str = "") -> None:
        """Report a probable mistake."""
        self._report(WARNING, setting, value, where, why)

    def _report(self, status: str, setting: str, value: Any, where: str, why: str) -> None:
        self.findings.append(Finding(status, setting, _text(value), where, why=why))

    def _note(self, place: tuple[str | int, ...], value: Any, finding: Finding) -> None:
        written = f"{dotted(place)} = {_text(json.dumps(value, ensure_ascii=False))}"
        self.findings.append(finding._replace(scenario=written))
        origin = finding.setting
        if finding.where:
            origin = f"{PurePath(finding.where).name} {origin}"
        if finding.status == DEFAULT:
            origin = f"default of {origin}"
        self.comments[place] = visible(f"{origin}; {finding.why}" if finding.why else origin)

    def groups(self, group_of: Callable[[str], str]) -> tuple[Group, ...]:
        """Return the providers, and put the audience into the deliveries.

        Parameters
        ----------
        group_of
            Function from a domain of an audience table to a provider of the scenario.

        Raises
        ------
        SendcapError
            If the audience cannot be read.
        """
        addressed = addressed_by(self.plan, self.base, group_of)
        deliveries = self.data["deliveries"]
        if addressed.shares is None:
            counts = [f"{each.name}: {each.messages:,} messages" for each in self.base.deliveries]
            self._keep("deliveries", ("deliveries",), "; ".join(counts), "set it with --audience")
        else:
            for number, delivery in enumerate(deliveries):
                delivery["audience"] = dict(addressed.shares)
                self.comments["deliveries", number, "audience"] = "from --audience"
        if addressed.messages is not None:
            deliveries[0]["messages"] = addressed.messages
            self.comments["deliveries", 0, "messages"] = "from the options"
        elif addressed.shares is not None:
            counts = [f"{each.name}: {each.messages:,}" for each in self.base.deliveries]
            self._keep("messages", ("deliveries",), "; ".join(counts), "set it with --messages")
        return addressed.groups

    def provider(self, group: Group, also: tuple[str, ...] = (), *, limits: bool = False) -> None:
        """Begin a provider with the behaviour of a similar one in the base.

        Parameters
        ----------
        group
            The provider.
        also
            Further names that the base may have for it.
        limits
            Take the base's limits, too.

        Raises
        ------
        ConfigurationError
            If the base has neither such a provider nor ``other``.
        """
        names = (group.name, *known.names_of(group.name), *also, known.OTHER)
        like = next((name for name in names if name in self._base_providers), None)
        if like is None:
            known_ones = ", ".join(shown(name) for name in self._base_providers)
            raise ConfigurationError(
                f'{self.base_name}: has neither provider {shown(group.name)} nor "other" for its '
                f"connect and transaction times, only {known_ones}; add one, or set another --base"
            )
        similar = self._base_providers[like]
        behaviour = {key: value for key, value in similar.items() if limits or key not in _LIMITS}
        self.data.setdefault("providers", {})[group.name] = behaviour
        source = f"from provider {shown(like)} of {self.base_name}"
        place = ("providers", group.name)
        self.comments[place] = visible(f"values without a comment are {source}")
        kinds = "limits, times and bounces" if limits else "times and bounces"
        self._keep(", ".join(behaviour), place, "", f"{kinds} {source}")

    def mean_s(self, group: Group, key: str) -> float:
        """Return the mean of one of a provider's times, in seconds."""
        time: RandomTime = _TIME.validate_python(self.data["providers"][group.name][key])
        return time.mean_s

    def attempt_s(self, group: Group, per_connection: int | None) -> float:
        """Return the mean duration of an attempt, including a share of the connect time."""
        transaction_s = self.mean_s(group, "transaction_time")
        if per_connection is None:
            return transaction_s
        return transaction_s + self.mean_s(group, "connect_time") / per_connection

    def report_base(self) -> None:
        """Report the sections that are taken from the base."""
        source = f"from {self.base_name}"
        for key, value in self.data["mta"].items():
            if not any(place[:2] == ("mta", key) for place in self.comments):
                self._keep(f"mta {key}", ("mta", key), _text(value), source)
        for key in ("relay", "feedback", "engagement", "reporting"):
            if key in self.data:
                self._keep(key, (key,), "", source)
                self.comments[key,] = source

    def source_addresses(self, number: int | None, setting: str, where: str, why: str) -> None:
        """Set the number of source addresses: of the options, the configuration or the base."""
        if self.plan.ips is not None:
            self.data["mta"]["ips"] = self.plan.ips
            self._keep("source addresses", ("mta", "ips"), str(self.plan.ips), "from --ips")
        elif number is not None:
            status = USED if where else DEFAULT
            self.set(("mta", "ips"), number, setting, number, where, why, status)
        else:
            ips = self.base.mta.ips
            self.data["mta"]["ips"] = ips
            source = f"from {self.base_name}; set yours with --ips. {why}".strip()
            self._keep("source addresses", ("mta", "ips"), str(ips), source)

    def _keep(self, setting: str, place: tuple[str | int, ...], value: str, why: str) -> None:
        scenario = dotted(place) + (f" = {value}" if value else "")
        self.findings.append(Finding(BASE, setting, scenario=scenario, why=why))
        self.comments.setdefault(place, visible(why))

    def finished(self, title: str) -> Scenario:
        """Return the scenario, and report the warnings of the scenario.

        Raises
        ------
        SendcapError
            If the scenario is not valid.
        """
        self.data["title"] = title
        self._warn_of_rules_that_never_start()
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", SendcapWarning)
            scenario = from_dict(self.data, name="imported")
        for warning in caught:
            place, _, message = str(warning.message).partition(": ")
            self.warn(place, why=message)
        return scenario

    def _warn_of_rules_that_never_start(self) -> None:
        providers = self.data["providers"]
        common = self.data["mta"].get("suspend", "none")
        ruled = [
            name
            for name, provider in providers.items()
            if "tolerance" not in provider and provider.get("suspend", common) != "none"
        ]
        if ruled:
            example = dotted(("providers", ruled[0], "tolerance"))
            self.warn(
                "suspend",
                why=(
                    f"the rules for throttled answers at {', '.join(ruled)} never start, because "
                    f"the tolerance of a provider is in no configuration; set it if you know it, "
                    f'such as {example} = "50/s"'
                ),
            )

    def named(self, kind: str, name: str, names: Mapping[str, Any] | tuple[str, ...]) -> None:
        """Raise a `ConfigurationError` unless the configuration has a name."""
        if name not in names:
            hint = did_you_mean(name, names) or f"; it has {', '.join(map(shown, names)) or 'none'}"
            raise ConfigurationError(f"the configuration has no {kind} {shown(name)}{hint}")


def _text(value: Any) -> str:
    """Return a value for the report: on one line, of limited length, without addresses."""
    text = visible(value[: 2 * _LONGEST]) if isinstance(value, str) else shown(value)
    if "@" in text:
        return "(not shown: contains an address)"
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"

"""A scenario that is being imported: the base, and what the configuration puts in its place."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Mapping
from pathlib import PurePath
from typing import Any, Final

from pydantic import TypeAdapter

from sendcap import mailbox_providers as known
from sendcap.errors import ConfigurationError, SendcapWarning
from sendcap.importers.findings import BASE, DEFAULT, UNUSED, USED, WARNING, Finding
from sendcap.importers.groups import addressed_by
from sendcap.importers.plan import Group, Plan
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
"""Keys of a provider that an MTA's configuration decides; the others are the provider's doing."""

_TIME: Final[TypeAdapter[Any]] = TypeAdapter(Distribution)

_LONGEST: Final = 300
"""Characters of a value that a report shows."""


class Draft:
    """A scenario in the making.

    Parameters
    ----------
    plan
        What the user asks for beside the configuration.

    Attributes
    ----------
    base
        The scenario that what the configuration does not hold is taken from.
    data
        The scenario as nested dictionaries.
    comments
        For places in it, where the value comes from.
    findings
        The rows of the report.

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
        given: Any = "",
        where: str = "",
        why: str = "",
        status: str = USED,
    ) -> None:
        """Put a value of the configuration, or the MTA's default, into the scenario."""
        table: Any = self.data
        for piece in place[:-1]:
            table = table.setdefault(piece, {})
        table[place[-1]] = value
        self._note(place, value, Finding(status, setting, _text(given), where, why=why))

    def default(self, place: tuple[str | int, ...], value: Any, setting: str, why: str) -> None:
        """Put what the MTA does where its configuration does not say."""
        self.set(place, value, setting, why=why, status=DEFAULT)

    def unused(self, setting: str, given: Any = "", where: str = "", why: str = "") -> None:
        """Report a setting that the scenario does not hold."""
        self.findings.append(Finding(UNUSED, setting, _text(given), where, why=why))

    def warn(self, setting: str, given: Any = "", where: str = "", why: str = "") -> None:
        """Report what is probably a slip."""
        self.findings.append(Finding(WARNING, setting, _text(given), where, why=why))

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
        """Return the providers to make, and put the audience into the deliveries.

        Parameters
        ----------
        group_of
            Function from a domain of a table to the name of its provider in the scenario.

        Raises
        ------
        SendcapError
            If there is no audience that this can be done with.
        """
        addressed = addressed_by(self.plan, self.base, group_of)
        deliveries = self.data["deliveries"]
        if addressed.shares is None:
            told = [f"{its.name}: {its.messages:,} messages" for its in self.base.deliveries]
            self._kept("deliveries", ("deliveries",), "; ".join(told), "no audience was given")
        else:
            for number, delivery in enumerate(deliveries):
                delivery["audience"] = dict(addressed.shares)
                self.comments["deliveries", number, "audience"] = "as given"
        if addressed.messages is not None:
            deliveries[0]["messages"] = addressed.messages
            self.comments["deliveries", 0, "messages"] = "as given"
        elif addressed.shares is not None:
            told = [f"{its.name}: {its.messages:,}" for its in self.base.deliveries]
            self._kept("messages", ("deliveries",), "; ".join(told), "change it with --messages")
        return addressed.groups

    def provider(self, group: Group, also: tuple[str, ...] = (), *, limits: bool = False) -> None:
        """Begin a provider with what the base knows of its behaviour.

        Parameters
        ----------
        group
            The provider.
        also
            Further names under which the base may know it.
        limits
            Keep the base's limits, too.

        Raises
        ------
        ConfigurationError
            If the base knows no such provider, and none that is called other.
        """
        names = (group.name, *known.names_of(group.name), *also, known.OTHER)
        like = next((name for name in names if name in self._base_providers), None)
        if like is None:
            known_ones = ", ".join(shown(name) for name in self._base_providers)
            raise ConfigurationError(
                f"{self.base_name}: has no provider {shown(group.name)} and none called "
                f'"other" to take its connect and transaction times from, only {known_ones}; add '
                f"one, or name another --base"
            )
        its = self._base_providers[like]
        kept = {key: value for key, value in its.items() if limits or key not in _LIMITS}
        self.data.setdefault("providers", {})[group.name] = dict(kept)
        alike = f"as provider {shown(like)} of {self.base_name}"
        place = ("providers", group.name)
        self.comments[place] = visible(f"what says nothing else is {alike}")
        what = "limits, times and bounces" if limits else "times and bounces"
        self._kept(", ".join(kept), place, "", f"{what} {alike}")

    def mean_s(self, group: Group, key: str) -> float:
        """Return the mean of one of a provider's times, in seconds."""
        its: RandomTime = _TIME.validate_python(self.data["providers"][group.name][key])
        return its.mean_s

    def kept_of_the_base(self) -> None:
        """Report the sections of the base that stay as they are."""
        for key, value in self.data["mta"].items():
            if not any(place[:2] == ("mta", key) for place in self.comments):
                self._kept(f"mta {key}", ("mta", key), _text(value), f"as {self.base_name} has it")
        for key in ("relay", "feedback", "engagement", "reporting"):
            if key in self.data:
                self._kept(key, (key,), "", f"as {self.base_name} has it")
                self.comments[key,] = f"as {self.base_name} has it"

    def source_addresses(self, found: int | None, setting: str, where: str, why: str) -> None:
        """Decide the number of source addresses: as asked for, as found, or as the base has it."""
        if self.plan.ips is not None:
            self.data["mta"]["ips"] = self.plan.ips
            self._kept("source addresses", ("mta", "ips"), str(self.plan.ips), "as given")
        elif found is not None:
            status = USED if where else DEFAULT
            self.set(("mta", "ips"), found, setting, found, where, why, status)
        else:
            number = self.base.mta.ips
            self.data["mta"]["ips"] = number
            told = f"as {self.base_name} has it; give yours with --ips. {why}"
            self._kept("source addresses", ("mta", "ips"), str(number), told.strip())

    def _kept(self, setting: str, place: tuple[str | int, ...], value: str, why: str) -> None:
        scenario = dotted(place) + (f" = {value}" if value else "")
        self.findings.append(Finding(BASE, setting, scenario=scenario, why=why))
        self.comments.setdefault(place, visible(why))

    def finished(self, title: str) -> Scenario:
        """Return the scenario; what it warns of itself gets into the report.

        Raises
        ------
        SendcapError
            If the values make no scenario.
        """
        self.data["title"] = title
        self._warn_of_rules_that_never_start()
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always", SendcapWarning)
            scenario = from_dict(self.data, name="imported")
        for its in told:
            place, _, message = str(its.message).partition(": ")
            self.findings.append(Finding(WARNING, place, why=message))
        return scenario

    def _warn_of_rules_that_never_start(self) -> None:
        providers = self.data["providers"]
        without = [name for name, its in providers.items() if "tolerance" not in its]
        ruled = [
            name
            for name in without
            if providers[name].get("suspend", self.data["mta"].get("suspend", "none")) != "none"
        ]
        if ruled:
            example = dotted(("providers", ruled[0], "tolerance"))
            self.warn(
                "suspend",
                why=(
                    f"the rules for throttled answers at {', '.join(ruled)} never start: how much "
                    f"a provider lets through is in no configuration. Set it where you know it, "
                    f'such as {example} = "50/s"'
                ),
            )

    def named(self, kind: str, name: str, names: Mapping[str, Any] | tuple[str, ...]) -> None:
        """Refuse the name of something that the configuration does not have.

        Raises
        ------
        ConfigurationError
            If it is not among the names.
        """
        if name not in names:
            have = did_you_mean(name, names) or f"; it has {', '.join(map(shown, names)) or 'none'}"
            raise ConfigurationError(f"the configuration has no {kind} {shown(name)}{have}")


def _text(value: Any) -> str:
    """Write a value as a report shows it: on one line, not too long, and nobody's address."""
    text = visible(value[: 2 * _LONGEST]) if isinstance(value, str) else shown(value)
    if "@" in text:
        return "(not shown: it has an address)"
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"

"""What the queue helper decides in a scenario: retries, and the rates of queues and tenants.

A scheduled queue has its rate as a whole, whatever the number of sources; a tenant's or campaign's
``overall_max_message_rate`` is over all of its mail. A delivery with the name of a tenant or of a
campaign is its mail; every other one is that of the default tenant or, without one, of the only
tenant. Sources: KumoMTA, ``assets/policy-extras/queue.lua`` and ``crates/kumod/src/queue/queue.rs``
(``check_message_rate_throttle``).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from sendcap import mailbox_providers as known
from sendcap.importers.draft import Draft
from sendcap.importers.kumomta.files import Settings
from sendcap.importers.kumomta.queues import RETRY, Queues, Scope
from sendcap.importers.kumomta.settings import NOT_KNOWN, QUEUE
from sendcap.importers.plan import Group
from sendcap.importers.reading import Entry
from sendcap.importers.table import tell_unused
from sendcap.scenario.durations import parse_duration
from sendcap.scenario.rates import Rate
from sendcap.text.quoting import shown

_DEFAULTS: Final = {"retry_interval": "20m", "max_retry_interval": None, "max_age": "7d"}
"""KumoMTA's defaults: the interval doubles without an upper limit."""
_QUEUE_RATE: Final = "max_message_rate"
_OVERALL: Final = "overall_max_message_rate"
_DECIDING: Final = (*RETRY, _QUEUE_RATE, _OVERALL)


class Mail(NamedTuple):
    """The mail of a tenant and a campaign."""

    tenant: str
    campaign: str
    deliveries: tuple[str, ...]  # empty for all

    @property
    def text(self) -> str:
        """Words for the name of a limit."""
        names = (("tenant", self.tenant), ("campaign", self.campaign))
        return " ".join(f"{kind} {shown(name)}" for kind, name in names if name)


def mail_of(queues: Queues, deliveries: Sequence[str]) -> list[Mail]:
    """Return whose mail the deliveries are."""
    tenants = queues.tenants.within
    owners = {
        campaign: (tenant, campaign)
        for tenant in tenants
        for scope in _scopes_of(queues, tenant)
        for campaign in scope.within
    }
    owners |= {tenant: (tenant, "") for tenant in tenants}
    usual = queues.options.get("default_tenant")
    default = str(usual.value) if usual is not None else ""
    if usual is None and len(tenants) == 1:
        default = next(iter(tenants))
    found: dict[tuple[str, str], list[str]] = {}
    for name in deliveries:
        found.setdefault(owners.get(name, (default, "")), []).append(name)
    everything = len(found) == 1
    return [Mail(*owner, () if everything else tuple(names)) for owner, names in found.items()]


def _first_below_longest(settings: Settings) -> Settings:
    """Let the longest interval be the first, too, where it is lower: KumoMTA's delays are so."""
    longest = settings.get("max_retry_interval")
    first = settings.get("retry_interval", Entry("", _DEFAULTS["retry_interval"]))
    if longest is None or parse_duration(longest.value) >= parse_duration(first.value):
        return settings
    return settings | {"retry_interval": longest}


def _scopes_of(queues: Queues, tenant: str) -> list[Scope]:
    """Return the scopes of a tenant, each with campaigns within."""
    scopes = [
        scope.within[tenant] for scope in queues.domains.within.values() if tenant in scope.within
    ]
    return [queues.tenants.within[tenant], *scopes]


class Scheduled:
    """The queue helper's part of an import; ``domains_of`` gives the domains of a provider."""

    def __init__(
        self,
        draft: Draft,
        queues: Queues,
        domains_of: Callable[[Group], Mapping[str, float]],
        used: Iterable[Entry] = (),
    ) -> None:
        self._draft = draft
        self._queues = queues
        self._domains_of = domains_of
        self._mail = mail_of(queues, [each.name for each in draft.base.deliveries])
        self._used = list(used)

    def run(self, groups: Sequence[Group]) -> None:
        """Put the retries and rates into the scenario, and report the other settings."""
        first = self._mail[0]
        usual = self._queues.of(None, first.tenant, first.campaign)
        self._retry(usual)
        longest = [usual.get("max_age", Entry("max_age", _DEFAULTS["max_age"]))]
        for group in groups:
            domain = self._heaviest(group)
            own = self._queues.of(domain, first.tenant, first.campaign)
            self._own_retry(group, own, usual)
            if "max_age" in own:
                longest.append(own["max_age"])
            for mail in self._mail:
                self._rate(group, mail)
        entry = max(longest, key=lambda each: parse_duration(each.value))
        self._draft.lifetime(parse_duration(entry.value), entry)
        why = "KumoMTA expires a message at the failure after which no retry fits"
        self._draft.put(("mta", "expire"), "on-failure", Entry("max_age"), why)
        for mail in self._mail:
            self._overall(mail)
        self._report()

    def _heaviest(self, group: Group) -> str | None:
        domains = self._domains_of(group)
        return max(domains, key=lambda name: domains[name], default=None)

    def _retry(self, settings: Settings) -> None:
        self._draft.data["mta"]["retry"] = {"policy": "kumomta"}
        why = "not in shaping files, but in those of the queue helper (--queue); KumoMTA's default"
        settings = _first_below_longest(settings)
        for key, default in _DEFAULTS.items():
            entry = settings.get(key)
            if entry is not None:
                self._used.append(entry)
                self._draft.put(("mta", "retry", key), entry.value, entry._replace(name=key))
            elif default is not None:
                self._draft.put(("mta", "retry", key), default, Entry(key), why)

    def _own_retry(self, group: Group, own: Settings, usual: Settings) -> None:
        theirs: Settings = {key: own[key] for key in RETRY if key in own}
        if theirs == {key: usual[key] for key in RETRY if key in usual}:
            return
        self._draft.put_table(
            ("providers", group.name, "retry"),
            {"policy": "kumomta"},
            [(key, entry.value, entry, "") for key, entry in _first_below_longest(theirs).items()],
        )
        self._used += theirs.values()

    def _rate(self, group: Group, mail: Mail) -> None:
        """Put the rate of the scheduled queues of a provider's domains into the scenario."""
        entry = self._rate_of(self._heaviest(group), mail)
        if entry is None:
            return
        self._used.append(entry)
        domains = group.domains or self._domains_of(group)
        others = [self._rate_of(name, mail) for name in domains]
        differing = sum(each is None or each.value != entry.value for each in others)
        number = max(1, len(domains) - differing)
        if group.name == known.OTHER:
            number = group.queues
        rate = entry.read(Rate.parse)
        why = "of the queue as a whole, from all sources"
        if number > 1:
            why = f"{rate} for each of {number} domains, from all sources"
        if differing:
            others_differ = f"the queues of {differing} other domains differ, and share this rate"
            self._draft.warn(entry.of(group.name), others_differ)
        name = " ".join(filter(None, (f"queue {group.name}", mail.text if mail.deliveries else "")))
        self._draft.shared_limit(
            name,
            {"rate": str(rate.times(number))},
            entry,
            why,
            providers=[group.name],
            deliveries=mail.deliveries,
        )

    def _rate_of(self, domain: str | None, mail: Mail) -> Entry | None:
        return self._queues.of(domain, mail.tenant, mail.campaign).get(_QUEUE_RATE)

    def _overall(self, mail: Mail) -> None:
        """Put the rates over all of a tenant's or campaign's mail into the scenario."""
        tenant = self._queues.tenants.within.get(mail.tenant, Scope())
        campaign = tenant.within.get(mail.campaign, Scope())
        theirs = [each for each in self._mail if each.tenant == mail.tenant]
        if _OVERALL in tenant.settings and mail is theirs[0]:
            deliveries = [name for each in theirs for name in each.deliveries]
            self._over_all(tenant, deliveries)
        if _OVERALL in campaign.settings:
            self._over_all(campaign, mail.deliveries)

    def _over_all(self, scope: Scope, deliveries: Sequence[str]) -> None:
        entry = scope.settings[_OVERALL]
        self._used.append(entry)
        why = "over all of its mail; " + (
            "that of the deliveries with its name" if deliveries else "all mail is taken for it"
        )
        rate = {"rate": str(entry.read(Rate.parse))}
        self._draft.shared_limit(scope.title, rate, entry, why, deliveries=deliveries)

    def _report(self) -> None:
        tenants = {mail.tenant for mail in self._mail}
        first = self._mail[0].tenant
        applied = list(self._queues.of(None, first).values())
        for scope in (
            *self._queues.default.every(),
            *self._queues.tenants.every(),
            *self._queues.domains.every(),
        ):
            for key, entry in scope.settings.items():
                if entry in self._used:
                    continue
                if key == _OVERALL and scope not in self._queues.tenants.every():
                    self._draft.warn(entry, "KumoMTA reads it in the table of a tenant only")
                elif key in _DECIDING:
                    self._not_here(entry, scope, key, tenants)
                else:
                    named = entry._replace(name=key) if entry in applied else entry
                    tell_unused(self._draft, named, key, QUEUE, NOT_KNOWN, _DECIDING)
        for entry in self._queues.options.values():
            if entry.name != "default_tenant":
                self._draft.unused(entry, "decides whose mail it is, and not when it is sent")

    def _not_here(self, entry: Entry, scope: Scope, key: str, tenants: set[str]) -> None:
        """Report a retry or a rate that the scenario does not have."""
        names = self._queues.tenants.within
        owner = next((name for name in names if f"tenant {shown(name)}" in scope.title), None)
        if owner is not None and owner not in tenants:
            why = (
                f"no delivery is known to be tenant {shown(owner)}'s; give one its name in the "
                f"base, or set default_tenant"
            )
            report = self._draft.overruled if key in RETRY else self._draft.warn
            report(entry, why)
        elif scope is self._queues.default:
            whose = f"that of tenant {shown(self._mail[0].tenant)}"
            self._draft.overruled(entry, f"replaced by {whose}")
        else:
            why = "replaced by a more special one, or no recipient in the audience has the queue"
            self._draft.overruled(entry, why)

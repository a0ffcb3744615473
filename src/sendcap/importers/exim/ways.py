"""The transport of a domain: the first router that takes it and has an SMTP transport."""

from collections.abc import Iterator, Mapping
from typing import Final

from sendcap.importers.exim.lists import has_domain
from sendcap.importers.exim.sections import Options, Sections
from sendcap.importers.exim.table import FALLBACK
from sendcap.importers.reading import Entry

_REMOTE: Final = ("dnslookup", "manualroute", "queryprogram", "ipliteral", "iplookup")
_CONDITIONS: Final = ("condition", "senders", "local_parts", "require_files", "address_data")
_SMTP: Final = ("smtp", "lmtp")


def clients_of(sections: Sections) -> dict[str, Options]:
    """Return the transports that deliver to other servers."""
    return {
        name: options
        for name, options in sections.transports.items()
        if "driver" in options and options["driver"].value in _SMTP
    }


def transport_of(sections: Sections, domain: str) -> str | None:
    """Return the transport of a domain, or the first one; None for a file of rules alone."""
    router = _router_of(sections, domain)
    if router is not None:
        return str(sections.routers[router]["transport"].value)
    return next(iter(clients_of(sections)), None)


def _router_of(sections: Sections, domain: str) -> str | None:
    """Return the first router that takes mail to a domain, or of which nobody can tell."""
    unclear = None
    for name, options in _remote(sections, clients_of(sections)):
        listed = options.get("domains")
        takes = listed is None or has_domain(listed.value, domain, sections.lists)
        if takes and not any(condition in options for condition in _CONDITIONS):
            return name
        if takes is not False:
            unclear = unclear or name
    return unclear


def left_out_of_routers(
    sections: Sections, domains: Mapping[str, object]
) -> Iterator[tuple[Entry, str]]:
    """Yield what routers do that is not in the scenario, or cannot be read."""
    taken = {_router_of(sections, domain) for domain in domains}
    transports = {transport_of(sections, domain) for domain in domains}
    for name, options in _remote(sections, clients_of(sections)):
        transport = options["transport"]
        if "fallback_hosts" in options:
            yield options["fallback_hosts"].of(f"router {name}"), FALLBACK
        found = [each for each in _CONDITIONS if each in options]
        listed = options.get("domains")
        known = listed is None or None not in {
            has_domain(listed.value, domain, sections.lists) for domain in domains
        }
        if name not in taken and transports == {transport.value}:
            continue  # all mail has this transport by another router
        if found or not known:
            does = (
                "so that mail which no other router takes goes by this one in the scenario"
                if name in taken
                else "so that no mail of the scenario goes by this router"
            )
            yield (
                Entry(f"router {name}", transport.value, transport.where),
                f"its {found[0] if found else 'domains'} cannot be read here, {does}",
            )


def _remote(sections: Sections, clients: Mapping[str, Options]) -> Iterator[tuple[str, Options]]:
    for name, options in sections.routers.items():
        driver = options.get("driver", Entry("driver")).value
        transport = options.get("transport", Entry("transport")).value
        if driver in _REMOTE and transport in clients:
            yield name, options

"""The connections of a queue in words."""

from collections.abc import Iterator

from sendcap.model.scaling import waiting_for
from sendcap.readings.effective.scope import Scope
from sendcap.readings.effective.throttles import throttle_text
from sendcap.scenario import PostfixScaling
from sendcap.scenario.provider import Provider
from sendcap.text.quantities import all_units, counted


def connection_rows(
    provider: Provider, connections: int, scope: Scope
) -> Iterator[tuple[str, str]]:
    """Yield the connections, their rate, and those that the provider accepts."""
    yield "Connections", f"{_count(provider, connections, scope)}; {_life(provider)}"
    if provider.connection_rate is not None:
        yield "Opening", f"{throttle_text(provider.connection_rate, scope)}"
    accepted = provider.accepts_connections
    if accepted is not None:
        count = scope.total(f"{accepted:,}", f"{accepted * scope.ips:,}")
        refused = "a further one is refused, a soft bounce"
        if accepted >= provider.connections_per_ip:
            refused = "there are never more"
        yield "Accepted", f"{count} connections at a time; {refused}"


def _count(provider: Provider, connections: int, scope: Scope) -> str:
    per_ip = provider.connections_per_ip
    count = scope.total(f"{per_ip:,}", f"{connections:,}")
    scaling = provider.connection_scaling
    if scaling == "none":
        return f"{count}, opened as needed"
    queue = per_ip if scope.apart else connections
    each = " of an IP" if scope.apart and scope.ips > 1 else ""
    if isinstance(scaling, PostfixScaling):
        first = min(scaling.initial, per_ip)
        ends = scope.total(f"{first:,} to {per_ip:,}", f"{first * scope.ips:,} to {connections:,}")
        return f"{ends} by Postfix's window, {_feedback(scaling)}"
    longest = int(waiting_for(queue)[-1])
    return (
        f"{count}, opened by the length of the queue as in KumoMTA: all {queue:,}{each} from "
        f"{counted(longest, 'waiting message')} on"
    )


def _feedback(scaling: PostfixScaling) -> str:
    """Return what answers do to the window."""
    sizes = {"1": "1", "1/concurrency": "1 / window", "1/sqrt_concurrency": "1 / √window"}
    return (
        f"{sizes[scaling.positive]} more for a success, {sizes[scaling.negative]} less for an "
        "attempt that reaches nobody"
    )


def _life(provider: Provider) -> str:
    """Return when a connection is closed."""
    idle = f"closed when idle for {all_units(provider.idle_timeout)}"
    if provider.messages_per_connection == "unlimited":
        return idle
    return f"{idle} or after {counted(provider.messages_per_connection, 'attempt')}"

"""Who opens and who clicks, and when: Campaign tracks both as they happen."""

from __future__ import annotations

from typing import Any

from sendcap.model.kernel.chance import draw, succeeds
from sendcap.model.kernel.compiled import compiled
from sendcap.model.kernel.fields import CLICK, COMPLAINT, NO_REASON, NONE, OPEN
from sendcap.model.kernel.state import Group
from sendcap.model.kernel.tally import count, of_event, series_of
from sendcap.model.kernel.telling import CLICKED, OPENED, tell_complaint


@compiled
def open_message(group: Group, queue: Any, message: Any, accepted_s: float) -> None:
    """Let the recipient open a message, and perhaps click in it."""
    chance = group.chance
    series = series_of(group.counters, message.pair)
    until_s = group.followed_until_s[group.batches.delivery[message.batch]]
    opened_s = accepted_s + draw(chance, queue, OPEN)
    if opened_s < until_s:
        count(group.counters, series, of_event(OPENED, NO_REASON), opened_s)
    if queue.complaints != NONE and succeeds(chance.trials[queue.complaints]):
        tell_complaint(group, message, opened_s + draw(chance, queue, COMPLAINT))
    if not succeeds(chance.trials[queue.clicks]):
        return
    clicked_s = opened_s + draw(chance, queue, CLICK)
    if clicked_s < until_s:
        count(group.counters, series, of_event(CLICKED, NO_REASON), clicked_s)

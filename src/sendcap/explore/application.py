"""What the page asks of its server: itself, answers, charts and exact simulations."""

import json
import math
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from sendcap.errors import SendcapError
from sendcap.explore.answer import BOTH, Look
from sendcap.explore.answers import Answers
from sendcap.explore.exact import Exact
from sendcap.explore.guard import Application, Message, Receive, Send
from sendcap.explore.layout import answered, document
from sendcap.explore.sliders import sliders
from sendcap.readings.modes import ALL_DELIVERIES, MODES, Mode

MOST_AT_ONCE: Final = 40
"""Questions that are worked on or wait."""
_HERE: Final = Path(__file__).parent
_FILES: Final = {"page.js": "text/javascript", "page.css": "text/css"}


def application(path: str, answers: Answers, exact: Exact) -> Application:
    """Return the application at a path, which ends with a slash."""
    there = sliders(answers.scenario)
    page = document(answers.scenario, there)
    known = {slider.key for slider in there}
    names = {delivery.name for delivery in answers.scenario.written()}

    def answer(asked: Mapping[str, Any]) -> dict[str, Any]:
        values, modes, look = _position(asked, known, names)
        found, before = answers.answer(values, modes, look), answers.answer({}, BOTH)
        return answered(found, before, look.delivery)

    def chart(asked: Mapping[str, Any]) -> dict[str, Any]:
        drawn = answers.chart(*_position(asked, known, names))
        # Not before: it would take the first answer's time.
        exact.warm()
        return {"chart": drawn}

    def simulate(asked: Mapping[str, Any]) -> dict[str, Any]:
        values, modes, look = _position(asked, known, names)
        share, done = exact.asked(values, modes, look)
        if done is None:
            return {"share": share}
        expected = answers.answer(values, modes, look)
        found, drawn = done
        return {"share": 1.0, "chart": drawn} | answered(
            found, expected, look.delivery, simulated=True
        )

    asked_for = {"answer": answer, "chart": chart, "simulate": simulate}

    # Whoever is let in may still ask too much at once.
    places = threading.BoundedSemaphore(MOST_AT_ONCE)

    async def served(scope: Message, receive: Receive, send: Send) -> None:
        name = scope["path"].removeprefix(path) if scope["path"].startswith(path) else None
        if scope["method"] in ("GET", "HEAD") and name == "":
            await _respond(send, 200, "text/html", page)
        elif scope["method"] in ("GET", "HEAD") and name in _FILES:
            text = (_HERE / name).read_text(encoding="utf-8")
            await _respond(send, 200, _FILES[name], text)
        elif scope["method"] == "POST" and name in asked_for:
            if not places.acquire(blocking=False):
                await _respond(send, 503, "text/plain", "Too many ask at once: try again.\n")
                return
            try:
                found = asked_for[name](json.loads((await receive())["body"]))
            except (ValueError, TypeError, AttributeError, SendcapError) as error:
                await _respond(send, 400, "text/plain", f"{error}\n")
            else:
                await _respond(send, 200, "application/json", json.dumps(found))
            finally:
                places.release()
        else:
            await _respond(send, 404, "text/plain", "There is nothing here.\n")

    return served


def _position(
    asked: Mapping[str, Any], known: set[str], names: set[str]
) -> tuple[dict[str, float], tuple[Mode, ...], Look]:
    """Return the values, the modes and the look that a browser asks for; of others it may lie."""
    values = {
        str(key): float(value) for key, value in asked.get("values", {}).items() if key in known
    }
    wrong = [key for key, value in values.items() if not (math.isfinite(value) and value > 0.0)]
    if wrong:
        raise SendcapError(f"{wrong[0]}: must be a number above 0")
    modes = tuple(mode for mode in MODES if mode in asked.get("modes", BOTH)) or BOTH
    delivery = asked.get("delivery")
    look = Look(delivery if delivery in names else ALL_DELIVERIES, bool(asked.get("narrow")))
    return values, modes, look


async def _respond(send: Send, status: int, kind: str, text: str) -> None:
    headers = [(b"content-type", f"{kind}; charset=utf-8".encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": text.encode()})

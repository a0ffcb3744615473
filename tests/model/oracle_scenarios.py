"""Random scenarios without draws, for the comparison of the engine with the oracle.

A scenario is a function of its number. Times and the intervals of rates are small multiples of
powers of two, so that sums are exact and many events fall on one moment. Without ties they have no
common measure.
"""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from sendcap.errors import ScenarioError, SendcapWarning
from sendcap.scenario import Scenario, from_dict

PERIODS_S = {
    "relay": (7, 11),
    "ingress": (3, 5),
    "attempts": (13, 17),
    "connections": (37, 41),
    "tolerance": (19, 23),
    "suspension": (29, 31),
    "feedback": (5, 9),
}
"""Periods without ties: multiples seldom coincide."""


class Chance:
    """Random choices of one scenario.

    Without ties either one message is relayed at a time, or each provider has one connection.
    """

    def __init__(self, number: int, ties: bool) -> None:
        self.rng = np.random.default_rng(number)
        self.ties = ties
        self.one_message = not ties and self.happens(0.5)
        self.one_connection = not ties and not self.one_message

    def happens(self, probability: float) -> bool:
        return bool(self.rng.random() < probability)

    def one_of(self, *values: Any) -> Any:
        return values[self.rng.integers(len(values))]

    def seconds(self, low: float, high: float) -> float:
        """A time, more often a short one; with ties a power of two, or one and a half of it."""
        drawn = low * (high / low) ** self.rng.random()
        if not self.ties:
            return round(drawn, 6)
        power = 2.0 ** math.floor(math.log2(drawn))
        return max(power if drawn < 1.4 * power else 1.5 * power, 1.0 / 64.0)

    def time(self, low: float, high: float, zero: float = 0.0) -> str:
        """The same as text; with ties sometimes no time at all."""
        none = self.ties and self.happens(zero)
        return "0s" if none else f"{self.seconds(low, high)!r}s"

    def share(self, probability: float) -> float:
        return 1.0 if self.happens(probability) else 0.0

    def rate(self, what: str, fastest: int = 8, burst: bool = True) -> str:
        if self.ties:
            text = f"{self.one_of(*(2**k for k in range(fastest.bit_length())))}"
            text += f"/{2 ** self.rng.integers(0, 5)}s"
        else:
            text = f"{self.rng.integers(1, fastest + 1)}/{self.one_of(*PERIODS_S[what])}s"
        if not burst:
            return text
        return text + self.one_of("", *(f",max_burst={n}" for n in (1, 2, 5)))


def retry(chance: Chance, is_long: bool) -> dict[str, Any]:
    if is_long:
        return {"policy": "adobe-legacy", "interval": f"{chance.one_of(4096, 8192)}s"}
    first, longer = chance.seconds(1.0, 20.0), chance.seconds(20.0, 60.0)
    delays = [chance.time(1.0, 40.0) for _ in range(chance.rng.integers(1, 4))]
    steps = f"F,{3 * first}s,{first}s; G,{40 * longer}s,{longer / 2}s,1.5"
    policies: list[dict[str, Any]] = [
        {"policy": "exponential", "first": f"{first}s", "factor": 2.0, "max": f"{longer}s"},
        {"policy": "exponential", "first": f"{first}s", "factor": 1.5, "max": "none"},
        {"policy": "schedule", "delays": delays},
        {"policy": "powermta", "retry_after": delays, "bounce_after": f"{2 * longer}s"},
        {"policy": "kumomta", "retry_interval": f"{first}s", "max_age": f"{3 * longer}s"},
        {"policy": "opensmtpd", "backoff": f"{first}s"},
        {"policy": "momentum", "retry_interval": f"{first}s", "max_retries": 3},
        {"policy": "momentum", "retry_interval": f"{first}s", "max_retry_interval": f"{longer}s"},
        {"policy": "exim", "rule": steps, "retry_interval_max": f"{2 * longer}s"},
    ]
    if not chance.one_message:  # a scan makes retries due at the same moment
        policies.append(
            {
                "policy": "postfix",
                "minimal_backoff_time": f"{first}s",
                "maximal_backoff_time": f"{longer}s",
                "queue_run_delay": chance.time(1.0, 30.0),
                "maximal_queue_lifetime": chance.time(30.0, 300.0),
            }
        )
    return chance.one_of(*policies)


def throttle(chance: Chance, is_long: bool, schedules: bool, gaps: bool) -> Any:
    rates = [chance.rate("attempts", burst=not chance.one_message) for _ in range(2)]
    choices: list[Any] = ["none", "none", *rates]
    window = {"kind": "fixed-window", "limit": int(chance.rng.integers(1, 9))}
    if not chance.one_message:
        choices.append(window | {"window": chance.time(1.0, 32.0)})
    if gaps:
        choices.append({"kind": "gap", "pause": chance.time(0.1, 4.0)})
    if schedules:
        at, steps = 0.0, []
        for _ in range(chance.rng.integers(1, 5)):
            rate = "closed" if chance.happens(0.25) else chance.rate("attempts")
            steps.append({"at": f"{at!r}s", "rate": rate})
            at += chance.seconds(1.0, 40.0)
        steps.append({"at": f"{at!r}s", "rate": chance.rate("attempts")})
        choices += [{"kind": "schedule", "steps": steps}] * 2
        if is_long and not chance.ties:  # a day's rate is not exact
            choices.append({"kind": "warm-up", "per_day": [64, 128, 256]})
    return chance.one_of(*choices)


def throttles(chance: Chance, is_long: bool, schedules: bool, gaps: bool) -> Any:
    if chance.happens(0.7):
        return throttle(chance, is_long, schedules, gaps)
    drawn = [throttle(chance, is_long, schedules, gaps) for _ in range(3)]
    return [each for each in drawn if each != "none"] or "none"


def scheduled_rate(chance: Chance, what: str, fastest: int = 8) -> Any:
    """A rate, or a schedule of rates."""
    if chance.happens(0.6):
        return chance.rate(what, fastest)
    at, steps = 0.0, []
    for _ in range(chance.rng.integers(1, 4)):
        closed = chance.happens(0.25)
        steps.append({"at": f"{at!r}s", "rate": "closed" if closed else chance.rate(what, fastest)})
        at += chance.seconds(1.0, 40.0)
    steps.append({"at": f"{at!r}s", "rate": chance.rate(what, fastest)})
    return {"kind": "schedule", "steps": steps}


def suspension(chance: Chance) -> Any:
    if chance.one_message:
        return "none"
    rules = [rule(chance) for _ in range(chance.one_of(1, 1, 2, 3))]
    return rules if len(rules) > 1 else rules[0]


def rule(chance: Chance) -> dict[str, Any]:
    answers = ["throttled", "unreachable", "transient", "fault", "hard"]
    made: dict[str, Any] = {"lasts": chance.time(1.0, 30.0)}
    if chance.happens(0.4):
        made["counts"] = [each for each in answers if chance.happens(0.6)] or ["throttled"]
    kind = chance.one_of("count", "count", "row", "share")
    if kind == "share":
        made |= {"share": chance.one_of(0.25, 0.5, 1.0), "of": int(chance.rng.integers(1, 9))}
    else:
        made |= {
            "after": int(chance.rng.integers(1, 5)),
            "counting": "in-a-row" if kind == "row" else "in-period",
        }
    if kind != "row":
        made["within"] = chance.time(1.0, 60.0)
    meanwhile = chance.one_of("wait", "wait", "rate", "rate", "retry")
    if meanwhile == "rate" and kind == "share" and chance.happens(0.5):
        return made | {"slow_to": chance.one_of(0.25, 0.5)}
    if meanwhile == "rate":
        return made | {"rate": chance.rate("suspension", 2)}
    return made | {"meanwhile": meanwhile}


def provider(chance: Chance, is_long: bool, mended: bool, ips: int) -> dict[str, Any]:
    faults, hard, outages = [], [], []
    kind = chance.one_of("good", "good", "good", "fault", "fault", "hard")
    if kind == "fault":
        never = chance.share(0.2)
        clears = chance.time(1.0, 60.0, zero=0.1)
        faults.append({"reason": "full", "share": 1.0, "clears_after": clears, "never": never})
    if kind == "hard":
        hard.append({"reason": "unknown", "share": 1.0})
    # The engine of model 1 counts a fault's time from an attempt in an outage.
    if chance.happens(0.3) and (mended or kind != "fault"):
        at = 0.0
        for _ in range(chance.rng.integers(1, 3)):
            at += chance.seconds(0.5, 30.0)
            lasts = chance.seconds(0.5, 30.0)
            fails_after = chance.one_of("none", "none", chance.time(0.1, 20.0, zero=0.3))
            outages.append({"at": f"{at!r}s", "lasts": f"{lasts!r}s", "fails_after": fails_after})
            at += lasts
    connections = int(chance.rng.integers(1, 5)) * chance.one_of(1, 1, 5)
    return {
        "connections_per_ip": 1 if chance.one_connection else connections,
        "messages_per_connection": chance.one_of(1, 2, 3, 7, "unlimited"),
        "idle_timeout": chance.time(0.25, 30.0, zero=0.2),
        "connect_time": chance.time(0.1, 4.0, zero=0.3),
        "transaction_time": chance.time(0.1, 4.0, zero=0.1),
        "rate": throttles(chance, is_long, mended, mended or ips == 1),
        "connection_scaling": scaling(chance, mended),
        "connection_rate": (
            scheduled_rate(chance, "connections") if mended and chance.happens(0.3) else "none"
        ),
        "accepts_connections": chance.one_of(1, 2, 3) if chance.happens(0.3) else "none",
        "tolerance": scheduled_rate(chance, "tolerance") if chance.happens(0.4) else "none",
        "suspend": chance.one_of("mta", suspension(chance)),
        "retry": retry(chance, is_long) if chance.happens(0.3) else "mta",
        "transient": chance.share(0.08),
        "async_bounce": chance.share(0.3),
        "hard": hard,
        "faults": faults,
        "outages": outages,
        "disturbances": disturbances(chance) if mended else [],
    }


def scaling(chance: Chance, mended: bool) -> Any:
    if mended and chance.happens(0.2):
        kinds = ("1", "1/concurrency", "1/sqrt_concurrency")
        return {
            "kind": "postfix",
            "initial": int(chance.rng.integers(1, 5)),
            "failed_cohorts": chance.one_of(1, 1, 2, 3, "none"),
            "dead_for": chance.time(0.5, 30.0),
            "positive": chance.one_of(*kinds),
            "negative": chance.one_of(*kinds),
            "variant": chance.one_of("source", "readme"),
        }
    return "kumomta" if chance.happens(0.2) else "none"


def disturbances(chance: Chance) -> list[dict[str, Any]]:
    result: list[dict[str, Any]] = []
    while chance.happens(0.2):
        made: dict[str, Any] = {"every": chance.time(0.5, 30.0), "lasts": chance.time(0.5, 30.0)}
        kind = chance.one_of("unreachable", "transient", "tolerance")
        values = {"unreachable": True, "transient": 1.0, "tolerance": chance.rate("tolerance")}
        result.append(made | {kind: values[kind]})
    return result


def feedback(chance: Chance, mended: bool) -> dict[str, Any]:
    result: dict[str, Any] = {"synchronous": chance.time(0.1, 30.0, zero=0.3)}
    # At moments of their own: the rules do not order bounces among other events.
    asynchronous = chance.seconds(0.1, 60.0) + 1.0 / 1024.0
    has_polling, has_rate = chance.happens(0.4), chance.happens(0.4)
    if has_polling:
        result["polling"] = chance.time(1.0, 30.0)
    if has_rate and (mended or not has_polling):
        result["rate"] = chance.rate("feedback", burst=False)
        # The engine of model 1 lets a report wait for the one before it, and then for its turn.
        asynchronous += 0.0 if mended else 1000.0
    return result | {"asynchronous": f"{asynchronous!r}s"}


def deliveries(chance: Chance, batch: int, longer: float, names: list[str]) -> list[Any]:
    result = []
    for number in range(chance.rng.integers(1, 5)):
        messages = int(chance.rng.integers(5, 76))
        # The batches of a spread delivery become ready at exact moments, too.
        spread = chance.one_of(0.0, chance.seconds(0.1, 8.0)) * math.ceil(messages / batch)
        result.append(
            {
                "name": f"d{number}",
                "messages": messages,
                "at": chance.time(0.5, 60.0, zero=0.4),
                "spread": f"{spread!r}s",
                "validity": f"{chance.seconds(4.0, 600.0) * longer!r}s",
                "audience": {chance.one_of(*names): 1.0},
            }
        )
    return result


def sections(chance: Chance, mended: bool) -> dict[str, Any]:
    is_long = chance.happens(0.05)
    reports = feedback(chance, mended)
    names = ["p", "q", "r"][: chance.rng.integers(1, 4)]
    if chance.ties and "rate" in reports:
        # No rule says whose report is first if queues do something at the same moment.
        names = ["p"]
    batch = 1 if chance.one_message else chance.one_of(1, 3, 8, 20, 64)
    ips = 1 if chance.one_connection else chance.one_of(1, 1, 2, 4)
    mta: dict[str, Any] = {
        "ips": ips,
        "clock_origin": chance.one_of("relayed", "delivery-start"),
        "expire": chance.one_of("retry", "retry", "at-expiry", "on-failure"),
        "longest_validity": f"{chance.seconds(200.0, 900.0) * (1024.0 if is_long else 1.0)!r}s",
        "retry": retry(chance, is_long),
        "suspend": chance.one_of("none", suspension(chance)),
        "ingress_rate": chance.one_of("none", "none", chance.rate("ingress", 32, burst=False)),
    }
    if mended and chance.happens(0.35):
        mta["spool"] = int(batch * chance.one_of(1, 1.5, 2, 4))
    time: dict[str, Any] = {"bin": "32s" if is_long else "0.0625s"}
    if chance.happens(0.2) and (mended or "rate" not in reports):
        time["horizon"] = chance.time(10.0, 200.0)
    return {
        "time": time,
        "deliveries": deliveries(chance, batch, 1024.0 if is_long else 1.0, names),
        "relay": {
            "workers": chance.one_of(1, 1, 2, 4) if chance.ties else 1,
            "batch": batch,
            "batch_time": chance.time(0.1, 8.0, zero=0.3),
            "rate": chance.one_of("none", scheduled_rate(chance, "relay", 32)),
            "error_rate": chance.share(0.02),
        },
        "mta": mta,
        "providers": {name: provider(chance, is_long, mended, ips) for name in names},
        "feedback": reports,
        "engagement": {
            "open_rate": chance.share(0.3),
            "open_delay": chance.time(0.1, 60.0),
            "click_rate": chance.share(0.5),
            "click_delay": chance.time(0.1, 10.0),
        },
    }


def coupled(chance: Chance, plain: dict[str, Any]) -> dict[str, Any]:
    """Give a scenario pools, queues for each address, and limits over several queues."""
    plain["feedback"].pop("rate", None)  # no rule says whose report is first
    pools = ["one", "two"][: chance.rng.integers(1, 3)] if chance.happens(0.7) else []
    mta, names = plain["mta"], list(plain["providers"])
    if pools:
        # Thirds of a rate are not exact.
        mta["pools"] = {name: {"ips": 1 << int(chance.rng.integers(0, 3))} for name in pools}
        del mta["ips"]
        for delivery in plain["deliveries"]:
            delivery["pool"] = chance.one_of(*pools)
    mta["queues"] = chance.one_of("pooled", "pooled", "per-ip")
    limits = []
    for number in range(chance.rng.integers(1, 4)):
        limit: dict[str, Any] = {"name": f"limit {number}"}
        if chance.happens(0.6):
            limit["rate"] = throttle(chance, False, True, True)
        if limit.get("rate", "none") == "none":
            limit["connections"] = int(chance.rng.integers(1, 9))
        for key, known in (("providers", names), ("pools", pools)):
            if known and chance.happens(0.3):
                limit[key] = [chance.one_of(*known)]
        limits.append(limit)
    return plain | {"limits": limits}


def ordered(chance: Chance, plain: dict[str, Any]) -> dict[str, Any]:
    """Give a scenario an order, limits over deliveries, an active queue, and weights."""
    plain["feedback"].pop("rate", None)
    mta = plain["mta"]
    mta["order"] = chance.one_of("fifo", "priority", "priority", "priority", "fair", "fair")
    apart = len(plain["providers"]) > 1 and chance.happens(0.8)
    plain["deliveries"] = crowd(chance, plain, apart)
    if chance.happens(0.3):
        plain["limits"] = []
    plain.setdefault("limits", [])
    if apart and chance.happens(0.8):
        plain["limits"].append({"name": "narrow"} | narrow(chance))
        if chance.ties and chance.happens(0.6):  # they wait there, and not at the relay
            plain["relay"] |= {"rate": "none", "batch_time": "0s"}
            mta["ingress_rate"] = "none"
    for number in range(chance.rng.integers(1, 3) if chance.happens(0.5) else 0):
        plain["limits"].append({"name": f"over {number}"} | over_deliveries(chance, plain))
    if chance.happens(0.4):
        mta["active"] = int(chance.rng.integers(1, chance.one_of(6, 11, 41)))
        for each in plain["providers"].values():
            if each["connection_scaling"] == "kumomta":
                each["connection_scaling"] = "none"
    for pool in mta.get("pools", {}).values():
        if mta["queues"] == "per-ip" and chance.happens(0.7):
            pool["weights"] = [int(weight) for weight in chance.rng.integers(1, 7, pool["ips"])]
    if chance.happens(0.4):
        send_back(chance, plain)
    return plain


def crowd(chance: Chance, plain: dict[str, Any], apart: bool) -> list[Any]:
    """Return up to six deliveries with priorities, often close to each other.

    Those apart go to two providers, and contend for the limits that these share.
    """
    result, batch = plain["deliveries"], plain["relay"]["batch"]
    while len(result) < 3 or (len(result) < 6 and chance.happens(0.6)):
        result.append(chance.one_of(*result) | {"name": f"d{len(result)}"})
    names = list(plain["providers"])
    only, is_close, is_short = chance.one_of(*names), chance.happens(0.7), chance.happens(0.3)
    for number, delivery in enumerate(result):
        changes: dict[str, Any] = {"priority": chance.one_of("high", "normal", "low")}
        changes["audience"] = {names[number % 2] if apart else only: 1.0}
        changes["messages"] = messages = 2 + delivery["messages"] // 2
        before, after = (math.ceil(n / batch) for n in (delivery["messages"], messages))
        changes["spread"] = f"{float(delivery['spread'][:-1]) / before * after!r}s"
        if is_close or not chance.ties:
            changes["at"] = chance.time(0.5, 8.0, zero=0.5)
        if is_short:
            changes["validity"] = f"{chance.seconds(2.0, 60.0)!r}s"
        result[number] = delivery | changes
    return result


def narrow(chance: Chance) -> dict[str, Any]:
    """A limit over all queues that most messages wait for."""
    return chance.one_of(
        {"connections": int(chance.rng.integers(1, 4))}, {"rate": chance.rate("attempts", 4)}
    )


def send_back(chance: Chance, plain: dict[str, Any]) -> None:
    """Let a provider throttle, and the MTA empty its queue then."""
    name = chance.one_of(*plain["providers"])
    suspend: dict[str, Any] = {"lasts": chance.time(1.0, 30.0), "meanwhile": "retry"}
    suspend |= {"after": int(chance.rng.integers(1, 5)), "within": "60s"}
    plain["providers"][name] |= {"tolerance": chance.rate("tolerance", 4), "suspend": suspend}


def over_deliveries(chance: Chance, plain: dict[str, Any]) -> dict[str, Any]:
    names = [delivery["name"] for delivery in plain["deliveries"]]
    covered = [name for name in names if chance.happens(0.5)] or names[-1:]
    limit: dict[str, Any] = {"deliveries": covered}
    if chance.happens(0.3):
        limit["providers"] = [chance.one_of(*plain["providers"])]
    rate = throttles(chance, False, True, False)
    if rate != "none":
        limit["rate"] = rate
    if rate == "none" or chance.happens(0.3):
        limit["connections"] = int(chance.rng.integers(1, 5))
    return limit


def with_runners(chance: Chance, plain: dict[str, Any]) -> dict[str, Any]:
    """Add limits of retries alone, and such as let connections in use one by one."""
    plain["feedback"].pop("rate", None)
    plain.setdefault("limits", [])
    for number in range(chance.rng.integers(1, 3)):
        limit: dict[str, Any] = {"name": f"runners {number}"}
        limit["attempts"] = chance.one_of("retries", "retries", "all")
        if chance.happens(0.2):
            limit |= over_deliveries(chance, plain)
        limit["connections"] = int(chance.rng.integers(1, 5))
        if chance.happens(0.8):
            limit["one_more_every"] = f"{chance.seconds(1.0, 30.0)!r}s"
        if chance.happens(0.3):
            limit["providers"] = [chance.one_of(*plain["providers"])]
        plain["limits"].append(limit)
    for each in plain["providers"].values():
        if chance.happens(0.5):
            each["tolerance"] = chance.rate("tolerance", 4)
    return plain


def operated(chance: Chance, plain: dict[str, Any]) -> dict[str, Any]:
    """Let operators pause, resume and stop deliveries; some follow the clock or are confirmed."""
    plain["feedback"].pop("rate", None)
    by_clock = chance.happens(0.5)
    if by_clock:
        plain |= dict(zip(("start", "zone"), chance.one_of(*STARTS), strict=False))
    for delivery in plain["deliveries"]:
        if chance.happens(0.6):
            delivery |= holds(chance, float(delivery["at"][:-1]))
        if chance.ties and chance.happens(0.3):  # after each other at the relay
            delivery["at"], delivery["spread"] = "0s", "0s"
        if chance.happens(0.4 if by_clock else 0.2):
            delivery["confirm"] = confirmation(chance, by_clock)
        if by_clock and chance.happens(0.4):
            delivery |= pattern(chance, delivery["messages"], plain["relay"]["batch"])
        elif chance.happens(0.15):
            delivery |= repeated_or_in_parts(chance)
    for delivery in plain["deliveries"]:
        if not chance.one_message and "pattern" not in delivery and chance.happens(0.4):
            delivery |= batches(chance, delivery["messages"], plain["mta"].get("spool", math.inf))
    for provider in plain["providers"].values():
        if chance.happens(0.2):
            at, lasts = chance.seconds(0.5, 30.0), chance.seconds(0.5, 30.0)
            provider["refusals"] = [{"at": f"{at!r}s", "lasts": f"{lasts!r}s"}]
    return plain


def batches(chance: Chance, messages: int, spool: float) -> dict[str, Any]:
    """Return batches of a delivery's own, which become ready at exact moments."""
    size = min(chance.one_of(1, 2, 5, 13, 40), int(min(spool, 64)))
    spread = chance.one_of(0.0, chance.seconds(0.1, 4.0)) * math.ceil(messages / size)
    return {"batch": size, "spread": f"{spread!r}s"}


STARTS = (
    ("2026-11-27T08:59:50",),
    ("2026-11-27T06:58:30Z", "Europe/Berlin"),
    ("2026-10-25T00:59:45Z", "Europe/Berlin"),  # 02:59:45, before 02:00
    ("2026-03-29T00:58:45Z", "Europe/Berlin"),  # 01:58:45, before 03:00
    ("2026-10-03T15:28:00Z", "Australia/Lord_Howe"),  # 01:58, before 02:30
)
"""Moments shortly before the end of an hour, and before the clock is put back or forward."""


def holds(chance: Chance, at: float) -> dict[str, Any]:
    """Return one pause or more, with or without a resume at the end, or a stop."""
    moments, moment = [], at * chance.one_of(0.0, 0.5, 1.0) if chance.ties else at
    for _ in range(chance.rng.integers(0, 5)):
        moment += chance.seconds(0.25, 30.0)
        moments.append(moment)
    result: dict[str, Any] = {}
    for key, those in (("pause", moments[::2]), ("resume", moments[1::2])):
        if those:
            texts = [f"{each!r}s" for each in those]
            result[key] = texts[0] if len(texts) == 1 else texts
    if not moments or chance.happens(0.25):
        result["stop"] = f"{max(moment, at) + chance.seconds(0.25, 60.0)!r}s"
    return result


def confirmation(chance: Chance, by_clock: bool) -> dict[str, Any]:
    result: dict[str, Any] = {"within": chance.time(0.5, 60.0), "people": chance.one_of(1, 3)}
    if chance.happens(0.5):
        result["ahead"] = chance.time(0.5, 60.0)
    if chance.happens(0.5):
        result["give_up"] = chance.time(1.0, 120.0)
    if by_clock and chance.happens(0.7):
        hour, entries = chance.one_of("01", "02", "03", "08"), []
        entries = [f"{chance.one_of('', 'Sun ', 'Fri-Sun ')}{hour}:59-24:00"]
        first = int(chance.rng.integers(0, 59))
        entries += [f"{hour}:{first:02}-{hour}:{chance.rng.integers(first + 1, 60):02}"]
        entries += ["00:00-01:30"]
        result["hours"] = ", ".join(entries[: chance.rng.integers(1, 4)])
    return result


def pattern(chance: Chance, messages: int, batch: int) -> dict[str, Any]:
    """Return a pattern, whose shares are exact: the batches are as many as a power of two."""
    batches = 2 ** round(math.log2(math.ceil(messages / batch)))
    weights = [chance.one_of(0, 1, 1, 2, 4) for _ in range(chance.one_of(24, 168))]
    spread = chance.one_of(*(chance.seconds(0.25, 8.0) * batches for _ in range(3)), 3600.0 * 4)
    hours = {"messages": batches * batch, "pattern": weights, "spread": f"{spread!r}s"}
    return hours | {"validity": f"{2.0 * spread + chance.seconds(4.0, 600.0)!r}s"}


def repeated_or_in_parts(chance: Chance) -> dict[str, Any]:
    later = chance.time(0.5, 30.0)
    return chance.one_of(
        {"every": later, "times": 2, "messages": 7, "spread": "0s"},
        {"waves": {"size": 0.5, "every": later}, "messages": 14, "spread": "0s", "validity": "90s"},
        {"cells": {"share": 0.25, "after": later}, "messages": 12, "spread": "0s"}
        | {"validity": "60s"},
    )


def scenario_of(
    number: int,
    *,
    ties: bool = True,
    mended: bool = True,
    shares: bool = False,
    orders: bool = False,
    operators: bool = False,
    runners: bool = False,
) -> Scenario:
    """Return a scenario with a random mix of all features; its queues share limits or not.

    With `orders` it also has an order, limits over deliveries, an active queue or weights; with
    `operators` also pauses, stops, patterns and confirmations; with `runners` limits of retries.
    If the faults are not `mended`, without the features that the engine of model 1 gets wrong:
    schedules, several pauses, a spool, a fault that clears after an outage, a horizon or polling
    with a rate of reports.
    """
    chance = Chance(number, ties)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SendcapWarning)
        while True:
            try:
                plain = sections(chance, mended)
                if shares or (orders and chance.happens(0.7)):
                    plain = coupled(chance, plain)
                if orders or ((operators or runners) and chance.happens(0.6)):
                    plain = ordered(chance, plain)
                if runners:
                    plain = with_runners(chance, plain)
                return from_dict(operated(chance, plain) if operators else plain)
            except ScenarioError:
                continue  # such as a suspension that would never end

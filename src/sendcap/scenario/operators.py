"""Operators: they pause, resume and stop a delivery."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise, zip_longest
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BeforeValidator, SerializerFunctionWrapHandler, WithJsonSchema, WrapSerializer

from sendcap.scenario.moments import MOMENT_SCHEMA, MomentField, at_text
from sendcap.scenario.section import Place

if TYPE_CHECKING:
    from sendcap.scenario.delivery import Delivery


def _listed(value: Any) -> Any:
    if not isinstance(value, list | tuple):
        return (value,)
    if not value:
        raise ValueError("needs at least one moment; or leave it out")
    return value


def _single(moments: tuple[float, ...], write: SerializerFunctionWrapHandler) -> Any:
    texts = write(moments)
    return texts[0] if len(texts) == 1 else texts


Moments = Annotated[
    tuple[MomentField, ...],
    BeforeValidator(_listed),
    WrapSerializer(_single),
    WithJsonSchema({"anyOf": [MOMENT_SCHEMA, {"type": "array", "items": MOMENT_SCHEMA}]}),
]
"""A moment, or a list of moments in order."""


def held(delivery: Delivery) -> Iterator[tuple[float, float]]:
    """Yield the times in which nothing of a delivery is handed over: from, and until before."""
    yield from zip_longest(delivery.pause or (), delivery.resume or (), fillvalue=math.inf)
    if delivery.stop is not None:
        yield delivery.stop, math.inf


def operator_problems(delivery: Delivery) -> Iterator[tuple[Place, str]]:
    """Yield what is wrong with the moments of operators, and where."""
    pause, resume, stop = delivery.pause or (), delivery.resume or (), delivery.stop
    if len(resume) > len(pause):
        yield ("resume",), "belongs to a pause; give one for each"
        return
    if len(resume) < len(pause) - 1:
        yield ("pause",), "only the last one may have no resume; give the moments between"
        return
    moments = [each for pair in zip_longest(pause, resume) for each in pair if each is not None]
    for place, (one, two) in enumerate(pairwise(moments)):
        if two <= one:
            key = "pause" if place % 2 else "resume"
            message = (
                f"{at_text(two)} does not come after {at_text(one)}; put both in order of time"
            )
            yield (key,), message
            return
    if resume and resume[0] <= delivery.at:
        yield (
            ("pause",),
            f"ends before the delivery starts, at {at_text(delivery.at)}; leave it out",
        )
    elif pause and not resume and pause[0] <= delivery.at:
        message = f"{at_text(pause[0])} is not after the start, {at_text(delivery.at)}, and has no "
        yield ("pause",), f"{message}resume: nothing would be sent; give one, or a later pause"
    if stop is None:
        return
    if stop <= delivery.at:
        message = (
            f"{at_text(stop)} is not after the start, {at_text(delivery.at)}: nothing would be "
        )
        yield ("stop",), f"{message}sent; give a later moment, or leave the delivery out"
    elif moments and moments[-1] >= stop:
        key = "resume" if moments[-1] in resume else "pause"
        yield (
            (key,),
            f"{at_text(moments[-1])} is not before the stop, {at_text(stop)}; leave it out",
        )

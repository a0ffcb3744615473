"""Charts with matplotlib, in one house style.

Each chart function takes a run or a result, draws it and returns the axes: one pair, or the panels
from top to bottom. Nothing global is changed and pyplot is not used. Such axes, or their figure,
are written by `sendcap.charts.style.save`. `sendcap.charts.listed` has all of them by name. Several
charts have the same options:

ax
    Draw on these axes: one pair, which is divided where a chart has several panels, or a list of
    all panels. By default a new figure gets them.
modes
    Reporting modes (default: the scenario's ``reporting.modes``).
delivery
    A delivery's name, or ``"*"`` for all of them together.
scale
    Of the time axis: ``"log"``, ``"symlog"`` (linear for 15 minutes, then logarithmic) or
    ``"linear"``. By default it suits the deliveries: linear where one of them starts late.
start
    Label the time by the clock, from this moment on: a datetime, a text such as
    ``"2026-11-27T09:00"``, or ``"scenario"`` for the scenario's own start; ``"elapsed"`` for none.
    By default several deliveries go by the scenario's clock.
since, until
    Cut a time out of the axis: seconds, a duration such as ``"3h"``, or by the clock of the
    scenario's start, such as ``"Fri 17:00"``.
title
    The scenario's or study's, for the headline.

A mode, delivery, moment, measure or parameter that does not exist raises a `SendcapError`.

>>> import sendcap
>>> figure = sendcap.simulate("quickstart").plot("funnel")
>>> figure.savefig("funnel.svg")  # doctest: +SKIP
"""

"""Charts with matplotlib, in one house style.

Each chart function takes a run or a result and an optional ``ax``, on which it draws, and returns
the axes: one pair, or a list of panels. Nothing global is changed and pyplot is not used. Such
axes, or their figure, are written by `sendcap.charts.style.save`. `sendcap.plot` lists
the charts by name.

>>> import sendcap
>>> from sendcap.charts.style import figure_of
>>> from sendcap.charts.funnel import funnel
>>> run = sendcap.simulate("quickstart")
>>> axes = funnel(run)
>>> figure_of(axes).savefig("funnel.svg")  # doctest: +SKIP
"""

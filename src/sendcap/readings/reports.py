"""The product's reports on a run at a moment, as methods of the run."""

from __future__ import annotations

from functools import cached_property

from sendcap.ledger import Ledger
from sendcap.readings.dashboard import Dashboard, dashboard
from sendcap.readings.dynamic_report import DynamicReport, dynamic_report
from sendcap.readings.explanation import Explanation, explanation
from sendcap.readings.kpis import Readings
from sendcap.readings.modes import ALL_DELIVERIES, Mode
from sendcap.scenario import Scenario
from sendcap.scenario.clock import moment_s


class Reports:
    """The reports on a scenario and the ledger of a run; `sendcap.Run` has them."""

    scenario: Scenario
    ledger: Ledger

    @cached_property
    def readings(self) -> Readings:
        """The figures of the ledger, each computed once."""
        return Readings(self.ledger, engagement=self.scenario.engagement.open_rate > 0.0)

    def dashboard(
        self,
        t: float | str,
        mode: Mode | None = None,
        delivery: str = ALL_DELIVERIES,
        compute_stats: bool = False,
    ) -> Dashboard:
        """Return the Deployment dashboard as it looks at a moment.

        Parameters
        ----------
        t
            The moment: seconds, a duration such as ``"3h"``, or with ``start`` by the clock, such
            as ``"17:00"``, ``"Sat 08:00"`` or ``"2026-11-28T08:00"``.
        mode
            Reporting mode (default: the scenario's first).
        delivery
            A delivery's name, or ``"*"`` for all of them together.
        compute_stats
            Figures as of ``t`` itself, as the button *Compute stats* gives them, and not as last
            refreshed: ``t`` is a multiple of the scenario's ``time.bin``, or after the end of the
            run, when nothing changes any more.

        Raises
        ------
        SendcapError
            If the moment is before 0, no duration or time by the clock, or with ``compute_stats``
            between two counts of the ledger, or if there is no such mode or delivery.

        Notes
        -----
        With a ``start``, refreshes are by its clock: every hour is at the full hour. Otherwise
        they count from t = 0.
        """
        reporting = self.scenario.reporting
        return dashboard(
            self.readings,
            self._moment_s(t),
            self._mode(mode),
            delivery,
            refresh_s=reporting.refresh,
            engagement_refresh_s=reporting.engagement_refresh,
            start=self.scenario.start,
            compute_stats=compute_stats,
            denominator=reporting.denominator,
        )

    def dynamic_report(
        self, t: float | str, mode: Mode | None = None, delivery: str = ALL_DELIVERIES
    ) -> DynamicReport:
        """Return Dynamic reporting as it looks at a moment.

        Campaign Standard calls it the source of truth. Percentages are of the messages processed,
        delivered or failed, and figures are as of the last nightly aggregation.

        Parameters
        ----------
        t, mode, delivery
            As for `dashboard`.

        Raises
        ------
        SendcapError
            If the moment is before 0, no duration or time by the clock, or if there is no such mode
            or delivery.

        Notes
        -----
        The aggregation is at 02:00 by the clock of the scenario, daylight saving included. Without
        a ``start`` nights count from t = 0, the first one at 1 d. Before the first night there are
        no figures: messages are 0, percentages NaN, and ``has_figures`` is False.
        """
        return dynamic_report(
            self.readings,
            self._moment_s(t),
            self._mode(mode),
            delivery,
            start=self.scenario.start,
        )

    def explain(
        self,
        t: float | str,
        mode: Mode | None = None,
        delivery: str = ALL_DELIVERIES,
        compute_stats: bool = False,
    ) -> Explanation:
        """Return why the dashboard and Dynamic reporting differ at a moment.

        Parameters
        ----------
        t, mode, delivery, compute_stats
            As for `dashboard`.

        Returns
        -------
        Explanation
            Both reports, and the causes in words and in points of Delivered % and of Bounces +
            errors %. The points sum to the whole difference: the moment is swapped first, then the
            denominator by the messages that are in one of the two alone.

        Raises
        ------
        SendcapError
            As from `dashboard`.
        """
        return explanation(
            self.ledger,
            self.dashboard(t, mode, delivery, compute_stats),
            self.dynamic_report(t, mode, delivery),
            start=self.scenario.start,
            denominator=self.scenario.reporting.denominator,
        )

    def _moment_s(self, t: float | str) -> float:
        return moment_s(t, self.scenario.start, "time")

    def _mode(self, mode: Mode | None) -> Mode:
        return self.scenario.reporting.modes[0] if mode is None else mode

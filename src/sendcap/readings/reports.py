"""The product's reports on a run at a moment, as methods of the run."""

from functools import cached_property

import pandas as pd

from sendcap.ledger import Ledger
from sendcap.readings.alerts import AlertCriteria, alerts, sendings
from sendcap.readings.bounce_summary import bounce_summary
from sendcap.readings.dashboard import Dashboard, dashboard
from sendcap.readings.dynamic_report import DynamicReport, dynamic_report
from sendcap.readings.explanation import Explanation, explanation
from sendcap.readings.kpis import Readings
from sendcap.readings.modes import ALL_DELIVERIES, Mode
from sendcap.readings.states import State, states
from sendcap.readings.throughput import throughput
from sendcap.readings.truth import Truth, truth
from sendcap.scenario import Scenario
from sendcap.scenario.clock import moment_s


class Reports:
    """The reports on a scenario and the ledger of a run; `sendcap.Run` has them."""

    scenario: Scenario
    ledger: Ledger

    @cached_property
    def readings(self) -> Readings:
        """The figures of the ledger, each computed once."""
        return Readings(self.ledger, engagement=any(self.scenario.open_rates))

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

    def truth(self, t: float | str, delivery: str = ALL_DELIVERIES) -> Truth:
        """Return what has become of the messages at a moment, whatever Campaign knows of it.

        Parameters
        ----------
        t, delivery
            As for `dashboard`. The figures are those of the last count at or before ``t``, every
            ``time.bin``.

        Raises
        ------
        SendcapError
            As from `dashboard`.
        """
        return truth(self.ledger, self._moment_s(t), delivery)

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
            As from `dashboard`.

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

    def throughput(self, t: float | str, delivery: str = ALL_DELIVERIES) -> pd.DataFrame:
        """Return the messages relayed and accepted in each hour up to a moment.

        Parameters
        ----------
        t, delivery
            As for `dashboard`.

        Returns
        -------
        DataFrame
            A row for each hour with messages; hours are full ones by the clock of the scenario,
            without a ``start`` from t = 0. Columns hour_s and until_s (the first and the last hour
            may be shorter), relayed (what the product's report *Delivery throughput* shows) and
            accepted (by recipients' servers, when it happened).

        Raises
        ------
        SendcapError
            As from `dashboard`.
        """
        return throughput(self.ledger, self._moment_s(t), delivery, start=self.scenario.start)

    def bounce_summary(
        self, t: float | str, mode: Mode | None = None, delivery: str = ALL_DELIVERIES
    ) -> pd.DataFrame:
        """Return the bounces by reason, as Campaign knows them at a moment.

        Parameters
        ----------
        t, mode, delivery
            As for `dashboard`. The mode decides what is processed.

        Returns
        -------
        DataFrame
            A row for each reason and type, most messages first. Columns reason, label (Campaign's
            word for the reason; empty where it has none), type (``"hard"``, ``"soft"`` or
            neither), messages (that bounced; after soft bounces, a message counts with the reason
            of its first one), final (that have failed for good; expired ones count with the reason
            of their last soft bounce), and messages_pct and final_pct, in percent of the messages
            processed.

        Raises
        ------
        SendcapError
            As from `dashboard`.
        """
        return bounce_summary(self.ledger, self._moment_s(t), self._mode(mode), delivery)

    def alerts(
        self,
        t: float | str,
        mode: Mode | None = None,
        delivery: str = ALL_DELIVERIES,
        criteria: AlertCriteria | None = None,
    ) -> pd.DataFrame:
        """Return the alerts that the product would have sent up to a moment.

        Parameters
        ----------
        t, mode
            As for `dashboard`.
        delivery
            A delivery's name, or ``"*"`` for all. Each part of a parent is watched by itself.
        criteria
            The limits (default: the product's own).

        Returns
        -------
        DataFrame
            A row for each delivery and alert. Columns delivery, alert (``"soft bounces"``,
            ``"hard bounces"``, ``"start pending"`` or ``"low throughput"``), limit, first_s (the
            first check with the alert), until_s (the last one) and worst: the highest share of the
            messages processed, the longest time in seconds, or the least messages per hour.

        Raises
        ------
        SendcapError
            As from `dashboard`.
        """
        return alerts(
            self.ledger,
            sendings(self.scenario),
            self._moment_s(t),
            self._mode(mode),
            delivery,
            criteria,
            start=self.scenario.start,
        )

    def states(self, mode: Mode | None = None, delivery: str = ALL_DELIVERIES) -> pd.DataFrame:
        """Return the state of each delivery over time, as Campaign names it.

        Parameters
        ----------
        mode
            Reporting mode (default: the scenario's first): without EFS a delivery is finished
            when it is relayed, otherwise once the outcome of each message is known.
        delivery
            A delivery's name, or ``"*"`` for each of them.

        Returns
        -------
        DataFrame
            A row for each state: delivery, state, from_s and until_s, in seconds from t = 0; the
            last one's end is infinite. States are ``"editing"``, ``"ready to be delivered"``
            (waiting for confirmation), ``"start pending"``, ``"in progress"``, ``"retry in
            progress"`` (every message has been tried), ``"paused"``, ``"stopped"``, ``"finished"``.

        Raises
        ------
        SendcapError
            If there is no such mode or delivery.

        References
        ----------
        Adobe Campaign Standard, ``developing/using/datamodel-delivery``: states of a delivery.
        """
        rows = states(self.scenario, self.ledger, self._mode(mode), delivery)
        return pd.DataFrame(rows, columns=list(State._fields))

    def _moment_s(self, t: float | str) -> float:
        return moment_s(t, self.scenario.start, "time")

    def _mode(self, mode: Mode | None) -> Mode:
        return self.scenario.reporting.modes[0] if mode is None else mode

"""How commands carry out the runs of a study: where, with a progress bar, and until they stop."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import click

from sendcap.cli.progress import runs_bar
from sendcap.errors import SendcapError
from sendcap.files.cleaning import cleaned_by

if TYPE_CHECKING:
    from sendcap.study.sweeps.execution import Execution
    from sendcap.study.sweeps.outcomes import Outcome
    from sendcap.study.sweeps.plan import Plan
    from sendcap.study.sweeps.store import Store
    from sendcap.study.sweeps.sweep import Progress

_PATIENCE: Final = "10s"


@contextmanager
def computing(workers: int | None, address: str | None) -> Iterator[Execution]:
    """Give the place where runs are computed: this machine, or a Dask cluster."""
    from sendcap.study.sweeps.execution import execution

    if address is None:
        yield execution(None, workers)
        return
    if workers is not None:
        raise SendcapError("--workers and --dask: give one of them, not both")
    client = _client(address)
    try:
        yield execution(client)
    finally:
        client.close(timeout=_PATIENCE)


def _client(address: str) -> Any:
    try:
        from distributed import Client
    except ImportError:
        raise SendcapError("--dask: Dask is not installed: pip install 'sendcap[dask]'") from None
    # It would tell of lost connections what the error tells as well.
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    try:
        return Client(address, timeout=_PATIENCE)
    except (OSError, ValueError, TimeoutError) as error:
        told = str(error).strip().split("\n")[0]
        raise SendcapError(f"--dask: no scheduler answers at {address}: {told}") from error


@contextmanager
def going_on(there: Execution, home: str) -> Iterator[Callable[[Progress], None]]:
    """Show how far it is, and whatever stops it, say how to go on.

    Parameters
    ----------
    home
        What the user calls the place where runs are kept.

    Yields
    ------
    callable
        What is to be called with the progress.
    """
    latest: list[Progress] = []

    def tell_how_to_go_on() -> None:
        if latest:
            its = latest[-1]
            done = its.done - its.failed
            os.write(
                2,
                f"{done:,} of {its.runs:,} runs are done and kept in {home}; "
                f"the same command goes on from there\n".encode(),
            )

    with (
        cleaned_by(tell_how_to_go_on),
        cleaned_by(there.abandon),
        runs_bar() as show,
    ):

        def progress(its: Progress) -> None:
            latest[:] = [its]
            if show is not None:
                show(its)

        yield progress


def carried_out(plan: Plan, there: Execution, store: Store, home: str) -> Mapping[str, Outcome]:
    """Carry out what is missing of a plan; see `going_on`."""
    from sendcap.study.sweeps.sweep import carried_out as carry_out

    with going_on(there, home) as progress:
        return carry_out(plan, there, store, progress)


def show_status(plan: Plan, store: Store) -> None:
    """Print how far a plan is."""
    from sendcap.study.sweeps.sweep import so_far

    its = so_far(plan, store)
    missing = its.runs - its.done
    click.echo(
        f"{its.done - its.failed:,} of {its.runs:,} runs are done, "
        f"{its.failed:,} {'has' if its.failed == 1 else 'have'} failed, "
        f"{missing:,} {'is' if missing == 1 else 'are'} missing"
    )

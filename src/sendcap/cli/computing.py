"""Where commands simulate: worker processes or a Dask cluster, with a progress bar."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import click

from sendcap.cli.progress import runs_bar, simulations_bar
from sendcap.errors import SendcapError
from sendcap.files.cleaning import cleaned_by

if TYPE_CHECKING:
    from sendcap.study.replication.workers import Workers
    from sendcap.study.sweeps.outcomes import Outcome
    from sendcap.study.sweeps.plan import Plan
    from sendcap.study.sweeps.store import Store
    from sendcap.study.sweeps.sweep import Progress

_PATIENCE: Final = "10s"


@contextmanager
def computing(workers: int | None, address: str | None) -> Iterator[Workers]:
    """Provide the workers: processes on this machine, or a Dask cluster."""
    from sendcap.study.replication.workers import Workers

    if address is None:
        with Workers(workers) as pool:
            yield pool
        return
    if workers is not None:
        raise SendcapError("--workers and --dask: give one, not both")
    client = _client(address)
    try:
        with Workers(executor=client) as pool:
            yield pool
    finally:
        client.close(timeout=_PATIENCE)


@contextmanager
def simulations(
    workers: int | None, address: str | None, total: int | None = None
) -> Iterator[tuple[Workers, Callable[[int], None] | None]]:
    """Provide the workers and a progress bar for simulations.

    Parameters
    ----------
    total
        The number of simulations, if known.

    Yields
    ------
    tuple
        The workers, and a callable that takes the number of finished simulations.
    """
    with computing(workers, address) as pool, simulations_bar(total) as progress:
        yield pool, progress
        # The charts, which take a while, need none of them.
        pool.abandon()


def _client(address: str) -> Any:
    try:
        from distributed import Client
    except ImportError:
        raise SendcapError("--dask: Dask is not installed: pip install 'sendcap[dask]'") from None
    # It would log lost connections; the error names them.
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    try:
        return Client(address, timeout=_PATIENCE)
    except (OSError, ValueError, TimeoutError) as error:
        reason = str(error).strip().split("\n")[0]
        raise SendcapError(f"--dask: no scheduler answers at {address}: {reason}") from error


@contextmanager
def resumable(home: str) -> Iterator[Callable[[Progress], None]]:
    """Show the progress of a study and, if it is stopped, how to resume it.

    Parameters
    ----------
    home
        The user's name for the directory of the runs.

    Yields
    ------
    callable
        Takes the progress.
    """
    latest: list[Progress] = []

    def say_how_to_resume() -> None:
        if latest:
            done = latest[-1].done - latest[-1].failed
            os.write(
                2,
                f"{done:,} of {latest[-1].runs:,} runs are done and saved in {home}; "
                f"run the same command again to resume\n".encode(),
            )

    with cleaned_by(say_how_to_resume), runs_bar() as show:

        def progress(now: Progress) -> None:
            latest[:] = [now]
            if show is not None:
                show(now)

        yield progress


def carried_out(plan: Plan, pool: Workers, store: Store, home: str) -> Mapping[str, Outcome]:
    """Simulate the missing runs of a plan; see `resumable`."""
    from sendcap.study.sweeps.sweep import carried_out as carry_out

    with resumable(home) as progress:
        return carry_out(plan, pool, store, progress)


def show_status(plan: Plan, store: Store) -> None:
    """Print the progress of a plan."""
    from sendcap.study.sweeps.sweep import so_far

    click.echo(so_far(plan, store).sentence())

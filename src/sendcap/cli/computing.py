"""Where commands simulate: worker processes or a Dask cluster; and studies that resume."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from sendcap.cli.progress import runs_bar, simulations_bar
from sendcap.errors import SendcapError

if TYPE_CHECKING:
    import pandas as pd

    from sendcap.study.replication.workers import Workers
    from sendcap.study.sweeps.plan import Plan
    from sendcap.study.sweeps.store import Store
    from sendcap.study.sweeps.study_file import Study

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
def simulations(
    workers: int | None, address: str | None, total: int | None = None
) -> Iterator[dict[str, Any]]:
    """Provide the workers and the progress of simulations, as arguments of a study.

    ``total`` is the number of simulations, if known.
    """
    with computing(workers, address) as pool, simulations_bar(total) as progress:
        yield {"workers": pool, "progress": progress}
        # The charts, which take a while, need none of them.
        pool.abandon()


def store_of(directory: Path, store: Path | None, names: frozenset[str] = frozenset()) -> Store:
    """Return the store of a study; refuse a directory with files but a sweep's and ``names``."""
    from sendcap.study.sweeps import files
    from sendcap.study.sweeps.store import Store

    files.require_sweep_directory(directory, names)
    return Store(store or directory / files.STORE)


def table_of(
    study: Study,
    plan: Plan,
    store: Store,
    directory: Path,
    workers: int | None,
    address: str | None,
    *,
    status: bool,
) -> pd.DataFrame:
    """Simulate the missing runs of a plan and return all; or print the progress and exit."""
    from sendcap.study.sweeps import files
    from sendcap.study.sweeps.sweep import carried_out, so_far

    if status:
        click.echo(so_far(plan, store).sentence())
        raise click.exceptions.Exit
    with computing(workers, address) as pool:
        files.begin(directory, study.text, study.scenario)
        with runs_bar(directory) as progress:
            return plan.table(carried_out(plan, pool, store, progress))

"""A sweep on a Dask cluster: the same table, also if a worker is killed in the middle."""

from __future__ import annotations

import os
import signal
from concurrent.futures import ThreadPoolExecutor

import pytest
from pandas.testing import assert_frame_equal
from swept import delivered, dies_at_13, slow, small

import sendcap
from sendcap.errors import SendcapError
from sendcap.study.sweeps.sweep import Progress

distributed = pytest.importorskip(
    "distributed", reason="Dask is not installed: pip install 'sendcap[dask]'"
)
dask = pytest.importorskip("dask")

pytestmark = [pytest.mark.extra("dask"), pytest.mark.filterwarnings("ignore")]

OVER = {"deliveries[0].messages": list(range(10, 50))}
ASKED = {"measures": ["accepted_50_pct_s", "bottleneck", delivered]}
TIMES = ["wall_s", "cpu_s"]


@pytest.fixture(scope="module", autouse=True)
def patient():
    """A busy machine takes long to start a worker anew; by default it is given up after 15 s."""
    with dask.config.set(
        {
            "distributed.deploy.lost-worker-timeout": "1h",
            "distributed.comm.timeouts.connect": "10m",
        }
    ):
        yield


@pytest.fixture(scope="module")
def client(patient):
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0"
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


@pytest.fixture(scope="module")
def table():
    with ThreadPoolExecutor(1) as executor:
        return sendcap.sweep(small(), OVER, executor=executor, **ASKED).drop(columns=TIMES)


def test_a_cluster_gives_the_same_table(client, table) -> None:
    for executor in (client, client.get_executor(pure=False)):
        found = sendcap.sweep(small(), OVER, executor=executor, **ASKED)
        assert_frame_equal(found.drop(columns=TIMES), table, check_exact=True)


@pytest.mark.crash
def test_a_worker_killed_in_the_middle_loses_nothing(client, tmp_path) -> None:
    killed: list[int] = []

    def kill_one(progress: Progress) -> None:
        if progress.done >= 5 and not killed:
            killed.append(client.run(os.getpid).popitem()[1])
            os.kill(killed[0], signal.SIGKILL)

    found = sendcap.sweep(
        small(), OVER, measures=slow, executor=client, store=tmp_path, progress=kill_one
    )
    assert len(killed) == 1
    assert found["error"].tolist() == 40 * [""]
    assert found["slow"].tolist() == list(range(10, 50))
    assert killed[0] not in client.run(os.getpid).values()
    # All of it was kept.
    told: list[Progress] = []
    again = sendcap.sweep(
        small(), OVER, measures=slow, executor=client, store=tmp_path, progress=told.append
    )
    assert told == [Progress(40, 40, 0, 40)]
    assert_frame_equal(again, found, check_exact=True)


@pytest.mark.crash
def test_only_the_point_that_kills_its_worker_is_a_row_with_an_error(client) -> None:
    over = {"deliveries[0].messages": [11, 12, 13, 14]}
    found = sendcap.sweep(small(), over, measures=dies_at_13, executor=client)
    assert found["error"].str.startswith("KilledWorker").tolist() == [False, False, True, False]
    assert found["dies_at_13"].dropna().tolist() == [11, 12, 14]


def test_a_cluster_that_is_gone_is_told(tmp_path) -> None:
    with distributed.LocalCluster(n_workers=1, processes=False, dashboard_address=":0") as cluster:
        gone = distributed.Client(cluster)
    with pytest.raises(SendcapError, match="the executor cannot be reached"):
        sendcap.sweep(small(), OVER, executor=gone, **ASKED)


@pytest.mark.crash
def test_a_cluster_that_goes_away_in_the_middle_is_told_and_what_is_done_is_kept(tmp_path) -> None:
    told: list[Progress] = []

    def close(progress: Progress) -> None:
        told.append(progress)
        if progress.done >= 3:
            cluster.close()

    cluster = distributed.LocalCluster(n_workers=1, processes=True, dashboard_address=":0")
    with (
        distributed.Client(cluster) as client,
        pytest.raises(SendcapError, match="the executor has failed"),
    ):
        sendcap.sweep(small(), OVER, measures=slow, executor=client, store=tmp_path, progress=close)
    kept = told[-1].done
    with ThreadPoolExecutor(1) as executor:
        sendcap.sweep(
            small(), OVER, measures=slow, executor=executor, store=tmp_path, progress=told.append
        )
    assert Progress(40, kept, 0, kept) in told
    assert told[-1].done == 40

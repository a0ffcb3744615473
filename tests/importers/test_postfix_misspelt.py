"""Postfix ignores a name that it does not know: one that resembles a deciding one is told."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from sendcap.importers import import_postfix
from sendcap.importers.postfix.misspelt import meant
from sendcap.importers.postfix.report import _OF_OTHERS

MASTER = "slow unix - - n - - smtp -o smtp_bind_adress=192.0.2.1\n"


def warnings_of(made) -> dict[str, str]:
    rows = made.report[made.report["status"] == "warning"]
    return dict(zip(rows["setting"], rows["why"], strict=True))


@pytest.mark.parametrize(
    ("name", "meant_for"),
    [
        ("default_destination_concurency_limit", "default_destination_concurrency_limit"),
        ("smtp_destination_concurrency_limits", "smtp_destination_concurrency_limit"),
        ("slow_destination_rate_dealy", "slow_destination_rate_delay"),
        ("maximal_queue_liftime", "maximal_queue_lifetime"),
        ("max_queue_lifetime", "maximal_queue_lifetime"),
        ("minimal_backof_time", "minimal_backoff_time"),
        ("smtp_tls_conection_reuse", "smtp_tls_connection_reuse"),
        ("Relayhost", "relayhost"),
        ("relay_host", "relayhost"),
    ],
)
def test_a_misspelt_parameter_is_told_with_the_one_that_is_meant(put, name, meant_for) -> None:
    made = import_postfix(put(f"{name} = 7\n"), "gmail=1")
    assert warnings_of(made)[name] == f'Postfix ignores this name; did you mean "{meant_for}"?'
    rows = made.report[made.report["setting"] == name]
    assert list(rows["value"]) == [""]


@pytest.mark.parametrize(("owner", "of"), [("smpt", "smtp"), ("defualt", "default")])
def test_a_misspelt_transport_is_told(put, owner, of) -> None:
    made = import_postfix(put(f"{owner}_destination_concurrency_limit = 7\n"), "gmail=1")
    (why,) = (why for name, why in warnings_of(made).items() if name.startswith(owner))
    assert why == f'no transport is called {owner}; did you mean "{of}"?'


def test_names_of_ones_own_are_no_noise(put) -> None:
    text = """\
mydest = a.example
mydestination = $mydest, localhost
smtp_tls_security_levels = may
smtp_tls_security_level = ${smtp_tls_security_levels}
my_smtp_tls_security_level = none
smtp2_destination_concurrency_limit = 3
slow_destination_concurrency_failed_cohort_limit = 3
"""
    told = warnings_of(import_postfix(put(text), "gmail=1"))
    assert not any("did you mean" in why for why in told.values())


def test_an_option_of_master_cf_may_be_misspelt_too(put) -> None:
    made = import_postfix(put("x = 1\n", "main.cf"), "slow=1", master_cf=put(MASTER, "master.cf"))
    name = "slow: smtp_bind_adress"
    assert warnings_of(made)[name].endswith('did you mean "smtp_bind_address"?')
    assert list(made.report["setting"]).count(name) == 1


def test_no_parameter_of_postfix_is_taken_for_another_one() -> None:
    found = shutil.which("postconf", path="/usr/sbin:/usr/bin:/sbin:/bin")
    if found is None:
        pytest.skip("no Postfix here")
    lines = subprocess.run([found, "-d"], capture_output=True, text=True, check=True).stdout
    names = [line.partition(" =")[0] for line in lines.splitlines()]
    assert len(names) > 500
    others = [name for name in names if not name.startswith(_OF_OTHERS)]
    assert [name for name in others if meant(name, ())] == []

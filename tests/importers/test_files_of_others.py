"""A file of another program is called what it is, with the command that reads it."""

from __future__ import annotations

import gzip
import json

import pytest

import sendcap
from sendcap.calibration.logs.opening import Log
from sendcap.calibration.logs.recognising import READERS, recognised
from sendcap.errors import SendcapError
from sendcap.importers import (
    import_exim,
    import_kumomta,
    import_opensmtpd,
    import_postfix,
    import_powermta,
)
from sendcap.importers.queue_files import read_queue_file

POSTFIX = "mynetworks = 127.0.0.0/8\ndefault_destination_concurrency_limit = 5\n"
MASTER = "smtp inet n - y - - smtpd\nsmtp unix - - y - - smtp\n  -o smtp_helo_timeout=5\n"
EXIM = """\
primary_hostname = mail.example.org
message_size_limit = 50M
begin transports
remote_smtp:
  driver = smtp
begin retry
* * F,2h,15m; G,16h,1h,1.5; F,4d,6h
"""
OPENSMTPD = 'listen on lo\naction "out" relay\nmatch from any for any action "out"\n'
POWERMTA = "smtp-listener 0.0.0.0:25\n<domain *>\n max-smtp-out 5\n</domain>\n"
KUMOMTA = '["default"]\nconnection_limit = 5\n'
LUA = "local kumo = require 'kumo'\nkumo.on('init', function()\nend)\n"
MOMENTUM = 'Max_Outbound_Connections = 20\nDomain "gmail.com" {\n  Retry_Interval = 600\n}\n'
SENDMAIL = "define(`confTO_QUEUERETURN', `5d')dnl\nMAILER(`smtp')dnl\n"
CAMPAIGN = '<?xml version="1.0"?>\n<serverConf>\n <mta useMomentum="true"/>\n</serverConf>\n'
SCENARIO = "[[deliveries]]\nname = 'a'\n[providers.gmail]\n"
LOGS = {
    "Postfix": "Nov 27 09:00:02 m postfix/smtp[9]: 4Bz1: to=<a@b.example>, relay=b.example[::2]:25,"
    " delay=2, delays=1/0/0.5/0.5, dsn=2.0.0, status=sent (250 OK)\n",
    "Exim": "2026-11-27 09:00:02 1tGabc-000001-Ab => a@b.example R=dnslookup T=remote_smtp "
    "H=b.example [192.0.2.1] QT=2s DT=1s\n",
    "OpenSMTPD": "Nov 27 09:00:02 mx smtpd[9]: 8d9e0a1b2c3d4e5f mta delivery evpid=1a2b3c4d5e6f7a8b"
    ' from=<> to=<a@b.example> rcpt=<-> source="192.0.2.1" relay="192.0.2.2 (b.example)" '
    'delay=2s result="Ok" stat="250 OK"\n',
    "KumoMTA": json.dumps({"type": "Delivery", "id": "1"}) + "\n",
    "Momentum": "1795766400@1/2@3@4@D@b.example@500@g@b@0@1.5@192.0.2.1\n",
}
ACCOUNTING = "type,timeLogged,timeQueued,rcpt\nd,2026-11-27 09:00:02+0000,,a@b.example\n"
MAILQ = "-Queue ID-  --Size-- ----Arrival Time---- -Sender/Recipient-------\n"

IMPORTERS = {
    "Postfix": (import_postfix, POSTFIX),
    "Exim": (import_exim, EXIM),
    "OpenSMTPD": (import_opensmtpd, OPENSMTPD),
    "PowerMTA": (import_powermta, POWERMTA),
    "KumoMTA": (import_kumomta, KUMOMTA),
}
NOBODY = "no command reads it: write its limits into a scenario"
CALIBRATE = "`sendcap calibrate` reads it"
OTHERS = {
    "Postfix master.cf": (MASTER, "`sendcap import postfix` takes it with --master"),
    "KumoMTA policy": (LUA, "`sendcap import kumomta` reads its shaping files"),
    "Momentum configuration": (MOMENTUM, NOBODY),
    "sendmail configuration": (SENDMAIL, NOBODY),
    "Adobe Campaign configuration": (CAMPAIGN, NOBODY),
    "PowerMTA accounting": (ACCOUNTING, CALIBRATE),
    "queue": (MAILQ, "`sendcap drain` reads it, with --queue"),
    "scenario": (SCENARIO, "`sendcap run` reads it"),
    **{f"{name} log": (lines, CALIBRATE) for name, lines in LOGS.items()},
}


def problem(read, *arguments) -> str:
    with pytest.raises(SendcapError) as caught:
        read(*arguments)
    return str(caught.value)


def article(name: str) -> str:
    return "an" if name[0] in "AEIOUaeiou" else "a"


def of(name: str) -> str:
    return f"{name} {'shaping' if name == 'KumoMTA' else 'configuration'}"


@pytest.mark.parametrize("wanted", IMPORTERS)
def test_each_importer_says_which_other_one_reads_a_file(put, wanted) -> None:
    read, text = IMPORTERS[wanted]
    read(put(text))
    for name in IMPORTERS.keys() - {wanted}:
        path = put(IMPORTERS[name][1], "file")
        assert problem(read, path) == (
            f"{path}: is {article(name)} {of(name)} file, not {article(wanted)} {of(wanted)} file; "
            f"`sendcap import {name.casefold()}` reads it"
        )
    for name, (content, reader) in OTHERS.items():
        path = put(content, "file")
        assert problem(read, path) == (
            f"{path}: is {article(name)} {name} file, not {article(wanted)} {of(wanted)} file; "
            f"{reader}"
        )


def test_options_with_files_of_their_own_say_so_too(put) -> None:
    main, file = put(POSTFIX, "main.cf"), put(POSTFIX, "file")
    log, shaping = put(LOGS["Exim"], "log"), put(KUMOMTA, "shaping.toml")
    for name, read in {
        "Postfix transport map": lambda path: import_postfix(main, transport=path),
        "Postfix master.cf": lambda path: import_postfix(main, master_cf=path),
        "KumoMTA queue": lambda path: import_kumomta(shaping, queue=path),
        "KumoMTA sources": lambda path: import_kumomta(shaping, pools=path),
        "mail-exchanger": lambda path: import_kumomta(shaping, mx=path),
    }.items():
        reads = f"not a {name} file; `sendcap import postfix` reads it"
        # A main.cf beside another one is none of its tables.
        assert f"{file}: is a Postfix configuration file, {reads}" in problem(read, file)
        assert f"{log}: is an Exim log file, not a {name} file" in problem(read, log)
    what = "an Exim log file, not an audience file"
    assert what in problem(import_kumomta, shaping, log)


def test_a_scenario_a_log_and_a_queue_are_told_apart_from_the_rest(put) -> None:
    for read, wanted in (
        (sendcap.load, "scenario"),
        (lambda path: recognised(Log(path)), "log"),
        (read_queue_file, "queue"),
    ):
        for name, (content, reader) in {
            **OTHERS,
            **{of(each): (text, f"`sendcap import {each.casefold()}` reads it")
               for each, (_, text) in IMPORTERS.items()},
        }.items():  # fmt: skip
            if name == wanted or (wanted == "log" and name.endswith((" log", "accounting"))):
                continue
            path = put(content, "file")
            if wanted == "scenario" and name == of("KumoMTA"):
                assert f"is traffic shaping of KumoMTA, not a scenario; {reader}; " in problem(
                    read, path
                )
                continue
            what = f"{path}: is {article(name)} {name} file, not a {wanted} file; {reader}"
            assert problem(read, path) == what


@pytest.mark.parametrize("name", LOGS)
def test_logs_are_told_as_their_readers_tell_them(put, name) -> None:
    path = put(LOGS[name])
    assert recognised(Log(path)) is READERS[name.casefold()]
    assert f"{name} log file" in problem(sendcap.load, path)


def test_a_log_is_recognised_though_it_is_large_damaged_or_compressed(put) -> None:
    line = LOGS["Exim"]
    for content in (
        (line * 80_000).encode(),
        line.encode() * 20 + b"\xff\n",
        gzip.compress((line * 2000).encode()),
    ):
        assert "is an Exim log file, not a scenario" in problem(sendcap.load, put(content))
    assert "line 1 is not UTF-8" in problem(sendcap.load, put(b"\x1f\x8b broken \xff"))


def test_a_file_that_nobody_knows_is_refused_for_its_first_wrong_line(put) -> None:
    assert "not valid TOML" in problem(sendcap.load, put("gmail.com,100\n"))
    assert "is not a parameter" in problem(import_postfix, put("gmail.com,100\n"))


def test_other_tables_of_kumomta_are_no_scenario(put) -> None:
    for text, name in (('[queue."a.example"]\nx = 1\n', "queue"), ("[pool.a.b]\n", "sources")):
        what = f"is a {name} file of KumoMTA, not a scenario; `sendcap import kumomta` reads it"
        assert what in problem(sendcap.load, put(text))


def test_a_file_without_a_statement_of_opensmtpd_is_refused(put) -> None:
    # Any words were taken for settings that decide nothing.
    path = put("gmail.com smtp:[a.example]\nyahoo.com slow:\n")
    assert problem(import_opensmtpd, path) == (
        f'{path}: line 1: neither "gmail.com" nor any other first word begins a statement of '
        f"OpenSMTPD"
    )
    import_opensmtpd(put(f"{OPENSMTPD}new statement\n"))

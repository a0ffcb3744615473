"""Lines inside a collector's records: journald's exports, and JSON in its many shapes.

Sources: systemd, "Journal Export Formats" and systemd.journal-fields(7); Docker, "JSON File logging
driver" (``log``, ``time``); Fluentd, "in_syslog" (``ident``, ``pid``, ``message``); the CloudWatch
Logs API, ``FilterLogEvents`` (``events``, ``message``, ``timestamp``); Grafana Loki, "LogCLI"
(``line``, ``timestamp``) and "Loki HTTP API", "Query logs within a range of time" (``values``);
Kubernetes, "CRI: Log Management for Container Stdout/Stderr Streams" (``P`` and ``F``); moby,
``daemon/logger/copier.go`` (a line is cut at 16 KiB, and the last part ends with a newline).
"""

from __future__ import annotations

import json
import os

import numpy as np
import pytest
from reading_lines import WRITTEN_S, names, read
from test_other_logs import kumomta
from test_prefixes import MESSAGE, NOON_S

from sendcap.calibration.logs.reading import Context
from sendcap.calibration.logs.recognising import read_logs
from sendcap.calibration.providers import Providers

SYSLOG = f"Mar 22 12:00:00 mail1 postfix/smtp[123]: {MESSAGE}"
NOON_US = f"{NOON_S:.0f}000000"
RECORDS = {
    "journald": {
        "__REALTIME_TIMESTAMP": NOON_US,
        "_HOSTNAME": "m",
        "SYSLOG_IDENTIFIER": "postfix/smtp",
        "SYSLOG_PID": "1",
        "MESSAGE": MESSAGE,
    },
    "journald, bytes": {
        "__REALTIME_TIMESTAMP": NOON_US,
        "SYSLOG_IDENTIFIER": "postfix/smtp",
        "_PID": "1",
        "MESSAGE": list(MESSAGE.encode()),
    },
    "docker": {"log": SYSLOG + "\n", "stream": "stdout", "time": "2026-03-22T12:00:00.5Z"},
    "fluentd": {
        "time": NOON_S,
        "host": "m",
        "ident": "postfix/smtp",
        "pid": "1",
        "message": MESSAGE,
    },
    "filebeat": {"@timestamp": "2026-03-22T12:00:00.000Z", "message": SYSLOG, "log": {"offset": 1}},
    "cloudwatch": {"timestamp": int(NOON_S * 1000), "message": SYSLOG, "ingestionTime": 1},
    "loki": {"labels": {"job": "mail"}, "line": SYSLOG, "timestamp": "2026-03-22T12:00:00Z"},
    "google": {"timestamp": "2026-03-22T12:00:00Z", "textPayload": SYSLOG},
    "splunk": {"preview": False, "result": {"_raw": SYSLOG, "_time": "2026-03-22"}},
    "rsyslog": {
        "timestamp": "2026-03-22T12:00:00Z",
        "syslog-tag": "postfix/smtp[1]:",
        "msg": MESSAGE,
    },
}


@pytest.mark.parametrize("before", ["", "2026-03-22T12:00:00+00:00\tmail\t", "data: "])
@pytest.mark.parametrize("name", RECORDS)
def test_a_line_is_taken_out_of_its_record(tmp_path, name, before) -> None:
    line = before + json.dumps(RECORDS[name])
    rows, context, file = read(tmp_path, [line, line, "{"])
    assert (file.format, file.lines, len(rows)) == ("postfix", 3, 2)
    assert rows["finished_s"].tolist() == [NOON_S, NOON_S]
    assert names(rows, context) == ["gmail", "gmail"]


@pytest.mark.parametrize(
    "text",
    [
        json.dumps([RECORDS["docker"]] * 3),
        json.dumps([RECORDS["docker"]] * 3, indent=2),
        "\n".join([json.dumps(RECORDS["docker"], indent=4)] * 3),
        json.dumps({"events": [RECORDS["cloudwatch"]] * 3, "searchedLogStreams": []}),
        json.dumps({"searched": {"a": [1]}, "events": [RECORDS["cloudwatch"]] * 3}, indent=1),
        f"{json.dumps({'messageType': 'D', 'logEvents': [RECORDS['cloudwatch']] * 3})}\n",
        "\n".join([json.dumps([RECORDS["docker"]])] * 3),
    ],
)
def test_a_document_is_as_good_as_lines(tmp_path, text) -> None:
    rows, context, _ = read(tmp_path, [text])
    assert rows["finished_s"].tolist() == [NOON_S] * 3
    assert not context.skipped.malformed


def test_a_long_document_is_read_in_pieces_and_goes_on_behind_damage(tmp_path) -> None:
    records = [json.dumps(RECORDS["docker"])] * 12_000
    records[5_000] = records[5_000].replace(":", "", 1)
    rows, _, _ = read(tmp_path, ["[" + ",\n".join(records) + "]"])
    assert 11_999 <= len(rows) <= 12_000


def test_an_export_of_journald_has_a_field_a_line(tmp_path) -> None:
    fields = [f"{key}={value}" for key, value in RECORDS["journald"].items()]
    binary = [*fields[:-1], "_PID=1", "MESSAGE"]
    path = tmp_path / "journal.export"
    length = len(MESSAGE).to_bytes(8, "little")
    path.write_bytes(
        ("\n".join(["__CURSOR=s=1", *fields, "", "__CURSOR=s=2", *binary]) + "\n").encode()
        + length
        + f"{MESSAGE}\n".encode()
    )
    os.utime(path, (WRITTEN_S, WRITTEN_S))
    context = Context(Providers())
    (file,) = read_logs([path], context)
    rows = np.concatenate(list(context.attempts.parts()))
    assert (file.format, rows["finished_s"].tolist()) == ("postfix", [NOON_S, NOON_S])
    assert names(rows, context) == ["gmail", "gmail"]


def test_records_of_kumomta_may_be_in_records(tmp_path) -> None:
    lines = [json.dumps({"log": kumomta() + "\n", "stream": "stdout"})] * 2
    rows, _, file = read(tmp_path, lines)
    assert (file.format, len(rows)) == ("kumomta", 2)


def test_a_format_that_is_told_is_looked_for_inside_too(tmp_path) -> None:
    rows, _, _ = read(tmp_path, [json.dumps(RECORDS["docker"])], "postfix")
    assert len(rows) == 1


def loki(*streams: int, **changes) -> dict[str, object]:
    """Return an answer of Loki: streams with so many lines each."""
    labels = {"job": "mail", "level": "info"}
    stamp = f"{NOON_S:.0f}000000000"
    result = [{"stream": labels, "values": [[stamp, SYSLOG]] * lines} for lines in streams]
    data = {"resultType": "streams", "result": result, "stats": {"summary": {"execTime": 0.1}}}
    return {"status": "success", "data": {**data, **changes}}


METADATA = [[f"{NOON_S:.0f}000000000", SYSLOG, {"structuredMetadata": {"pod": "a"}}]] * 3


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(loki(3)),
        json.dumps(loki(1, 0, 2), indent=2),
        json.dumps(loki(3), separators=(",", ":")),
        "\n".join([json.dumps(loki(1))] * 3),
        # The order of keys is nobody's promise.
        json.dumps({"data": {"result": [{"values": METADATA, "stream": {}}]}, "status": "success"}),
        # What is pushed to Loki, and what its /tail sends.
        json.dumps({"streams": [{"stream": {"a": "b"}, "values": METADATA}]}),
    ],
)
def test_an_answer_of_loki_is_as_good_as_lines(tmp_path, text) -> None:
    rows, context, file = read(tmp_path, [text])
    assert (file.format, rows["finished_s"].tolist()) == ("postfix", [NOON_S] * 3)
    assert not context.skipped.malformed


def test_an_answer_of_loki_may_be_long_and_goes_on_behind_damage(tmp_path) -> None:
    # More than a block of a megabyte.
    text = json.dumps(loki(5_000, 1_000))
    assert len(text) > 1 << 20
    rows, _, _ = read(tmp_path, [text])
    assert len(rows) == 6_000
    middle = text.index('"], ["', 500_000)
    rows, _, _ = read(tmp_path, [text[: middle + 1] + "\\" + text[middle + 1 :]])
    assert 5_998 <= len(rows) <= 6_000
    # Nothing but the end is missing.
    rows, _, _ = read(tmp_path, [text[:900_000]])
    assert len(rows) == text[:900_000].count('"], ')


def test_records_of_kumomta_may_be_in_an_answer_of_loki(tmp_path) -> None:
    values = [[f"{NOON_S:.0f}000000000", kumomta()]] * 2
    text = json.dumps({"data": {"result": [{"stream": {}, "values": values}]}})
    rows, _, file = read(tmp_path, [text])
    assert (file.format, len(rows)) == ("kumomta", 2)


def cri(tag: str, text: str, stream: str = "stdout", before: str = "") -> str:
    return f"{before}2026-03-22T12:00:01.123456789Z {stream} {tag} {text}"


@pytest.mark.parametrize("before", ["", "mail-0 "])
def test_parts_of_a_line_of_a_container_are_joined(tmp_path, before) -> None:
    lines = [
        cri("F", SYSLOG, before=before),
        cri("P", SYSLOG[:50], before=before),
        cri("F", "something else", "stderr", before),
        cri("P", SYSLOG[50:120], before=before),
        cri("F", SYSLOG[120:], before=before),
        cri("F:x", SYSLOG, before=before),
        # The end of this one is missing.
        cri("P", SYSLOG[:60], before=before),
    ]
    rows, context, file = read(tmp_path, lines)
    assert (file.lines, rows["finished_s"].tolist()) == (7, [NOON_S] * 3)
    assert names(rows, context) == ["gmail"] * 3
    assert not context.skipped.malformed


def test_parts_of_records_and_records_of_parts_are_joined(tmp_path) -> None:
    record = json.dumps(RECORDS["fluentd"])
    lines = [cri("P", record[:40]), cri("F", record[40:]), cri("F", record)]
    rows, _, _ = read(tmp_path, lines)
    assert rows["finished_s"].tolist() == [NOON_S] * 2


def test_parts_of_a_line_of_docker_are_joined(tmp_path) -> None:
    line = kumomta(headers={"x": "y" * 40_000})
    size = 1 << 14
    parts = [line[at : at + size] for at in range(0, len(line), size)]
    records = [{"log": part, "stream": "stdout", "time": "2026-03-22T12:00:00Z"} for part in parts]
    records[-1]["log"] += "\n"
    records.insert(1, {**records[0], "log": "else\n", "stream": "stderr"})
    rows, context, _ = read(tmp_path, list(map(json.dumps, [*records, *records])))
    assert len(rows) == 2
    assert sum(context.skipped.malformed.values()) <= 2

"""Exim: continuations, macros, conditions and included files (src/src/readconf.c)."""

from __future__ import annotations

import pytest

from sendcap.errors import SendcapError
from sendcap.importers import import_exim


def rule(path, audience=None) -> str:
    return import_exim(path, audience).scenario.mta.retry.rule


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        ("47-exim-continuation/rules", "F,1h,15m; F,1d,30m"),
        ("48-exim-continuation-two/rules", "F,1h,15m; F,1d,30m"),
        ("49-exim-macro/exim.conf", "F,2h,15m; F,2d,1h"),
        ("51-exim-senders-spaces/rules", "F,2h,15m"),
    ],
)
def test_the_cases_that_were_shown(shared, case, expected) -> None:
    assert rule(shared(f"cases/{case}")) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # get_config_line: comments are physical lines, also within a continuation.
        ("* * F,1h,15m; \\\n  # a comment \\\n  F,1d,30m", "F,1h,15m; F,1d,30m"),
        ("* * F,1h,15m;\\   \n\tF,1d,30m\n", "F,1h,15m; F,1d,30m"),
        ("* \\\n* \\\nF,1h,\\\n15m", "F,1h,15m"),
        ("* * F,1h,15m; \\\n\n", "F,1h,15m"),
        ("* * F,1h,15m \\", "F,1h,15m"),
        # Macros: anywhere, in each other, redefined, and the longer name's beginning first.
        ("T = 15m\n* * F,1h,T", "F,1h,15m"),
        ("T = 15m\nR = F,1h,T\nT == 20m\n* * R", "F,1h,15m"),
        ("T = 15m\nT == 20m\n* * F,1h,T", "F,1h,20m"),
        ("FIRST = F,1h,\\\n  15m\nALL = * *\nALL FIRST", "F,1h,15m"),
        ("EMPTY =\n* * EMPTY F,1h,15m", "F,1h,15m"),
        # Conditions hold if a macro is replaced in them.
        ("T = 1\n.ifdef T\n* * F,1h,15m\n.else\n* * F,2h,15m\n.endif", "F,1h,15m"),
        (".ifdef T\n* * F,1h,15m\n.else\n* * F,2h,15m\n.endif", "F,2h,15m"),
        (".ifndef T\n* * F,1h,15m\n.endif\n* * F,2h,15m", "F,1h,15m"),
        ("B = 1\n.ifdef A\n* * F,1h,15m\n.elifdef B\n* * F,2h,15m\n.else\nx\n.endif", "F,2h,15m"),
        (
            ".ifdef A\n.ifndef A\n* * F,1h,15m\n.endif\n.elifndef A\n* * F,3h,15m\n.endif",
            "F,3h,15m",
        ),
        ("* * F,1h,15m; \\\n.ifdef A\nF,2h,1h; \\\n.endif\nF,1d,30m", "F,1h,15m; F,1d,30m"),
        (".ifdef A_HAVE\n* * F,1h,15m\n.else\n* * F,2h,15m\n.endif", "F,2h,15m"),
        (".ifdef _HAVE_TLS\n* * F,1h,15m\n.else\n* * F,2h,15m\n.endif", "F,1h,15m"),
        # readconf_retries: a letter may be small, times have several units, "senders" spaces.
        ("* * f,1h30m, 15m ; h , 2d,30m,1.5;", "F,90m,15m; H,2d,30m,1.5"),
        ("*\t*\tF,2h,15m", "F,2h,15m"),
        ("*@* RCPT_4xx F,2h,15m", "F,2h,15m"),
        ('"*" * senders = "*" F,2h,15m', "F,2h,15m"),
        ('* * senders = ":" F,1h,1m\n* * senders=a@b.org:c.org F,1h,2m\n* * F,2h,15m', "F,2h,15m"),
        ("* data_4xx F,1h,1m\n* mail_4xx F,1h,2m\n* rcpt_452 F,1h,3m\n* * F,2h,15m", "F,2h,15m"),
    ],
)
def test_lines_are_read_as_exim_reads_them(put, text, expected) -> None:
    assert rule(put(text)) == expected


def test_steps_that_never_apply_are_left_out(put) -> None:
    """retry.c takes the first step whose cutoff has not passed."""
    made = import_exim(put("* * F,2h,15m; F,1h,5m; F,2h,1m; F,1d,1h"))
    assert made.scenario.mta.retry.rule == "F,2h,15m; F,1d,1h"
    warning = made.report[made.report["status"] == "warning"].set_index("setting").loc["retry * *"]
    assert warning["value"] == "F,1h,5m; F,2h,1m"


def test_included_files_are_read(put) -> None:
    put("T = 15m\n* * F,1h,T; \\\n", "rules")
    put("F,2d,1h\n", "more")
    main = put('begin retry\n.include rules\n.include "more"\n.include_if_exists nothing\n')
    assert rule(main) == "F,1h,15m; F,2d,1h"
    put("begin retry\n.include nothing\n* * F,1h,15m\n", "other")
    made = import_exim(main.with_name("other"))
    (warning,) = (each for each in made.findings if each.setting == "include")
    assert (warning.status, warning.where[-7:]) == ("warning", "other:2")
    assert "No such file" in warning.why


def test_what_was_taken_for_granted_is_told(put) -> None:
    made = import_exim(put(".ifdef _HAVE_TLS\n.endif\n.ifdef _OPT_A\n.endif\n* * F,1h,15m"))
    (row,) = (each for each in made.findings if each.setting == ".ifdef _HAVE_TLS, _OPT_A")
    assert (row.status, row.where[-2:]) == ("used", ":1")
    assert "is taken to hold" in row.why


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("T = 1\nT = 2", "line 2: macro T is already defined; == defines it anew"),
        ("T == 1", "line 1: macro T is not defined before"),
        (".endif", "line 1: .endif without .ifdef before it"),
        ("\n.ifdef A\n* * F,1h,15m", "conf:2: the condition has no .endif"),
        ('* * senders="a F,1h,15m', "line 1: unclosed quotation mark"),
        (".include conf", "line 1: too many nested includes"),
        ("A = " + "x" * 9000 + "\n* * " + "A" * 20, "has more than 100,000 char"),
        ("primary_hostname = a\nqueue_run_max = 5", "has no retry rule for all mail"),
    ],
)
def test_what_is_wrong_is_told_with_file_and_line(put, text, message) -> None:
    with pytest.raises(SendcapError) as caught:
        import_exim(put(text, "conf"))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)

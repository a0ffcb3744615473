"""Postfix: parameters within values, by postconf(5) and src/util/mac_expand.c."""

from __future__ import annotations

import pytest

from sendcap.errors import SendcapError
from sendcap.importers import import_postfix
from sendcap.importers.postfix.expansion import expanded

VALUES = {"a": "7", "b": "10", "empty": "", "word": "may", "compatibility_level": "3.10"}


def test_the_case_that_was_shown(shared) -> None:
    made = import_postfix(shared("cases/62-postfix-ternary/main.cf"), {"gmail": 1.0})
    assert made.scenario.providers["gmail"].connections_per_ip == 10


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("${a?{x}:{y}}", "x"),
        ("${empty?{x}:{y}}", "y"),
        ("${ empty ? {x} : {y} }", "y"),
        ("${a?{x}}${empty?{z}}", "x"),
        ("${a:{x}}${empty:{z}}", "z"),
        ("${a?{x}:y}", "x"),
        ("${empty?{x}:y}", "y"),
        # Without braces all that follows is the text, as before Postfix 3.0.
        ("${a?x:y}", "x:y"),
        ("${a?{${b?{$b}:{n}}}:{m}}", "10"),
        ("${empty?{x}:{${a?{deep}:{deeper}}}}", "deep"),
        ("${{$a} == {7} ? {same} : {other}}", "same"),
        ("${{$a}!={7}?{other}:{same}}", "same"),
        # As numbers where both are digits, else as text.
        ("${{$a} < {$b} ? {less} : {more}}", "less"),
        ("${{x7} < {x10} ? {less} : {more}}", "more"),
        ("${{007} >= {7} ? {yes}}", "yes"),
        ("${{$a} > {8} ? {yes} : {no}}", "no"),
        ("${{$a} <= {7} ? {yes} : {no}}", "yes"),
        ("${{$a} == {7}}", "true"),
        ("${{$a} == {8}}-", "-"),
        ("${{$empty} == {} ? {none} : {some}}", "none"),
        # compat_level.c: 3.10 is more than 3.9.
        ("${{$compatibility_level} >level {3.9} ? {new} : {old}}", "new"),
        ("${{$compatibility_level} <level {3.11} ? {old} : {new}}", "old"),
        ("$$5 $(a) $(empty:{z}) ${word}be $a.b", "$5 7 z maybe 7.b"),
        ("$(a?(x))", "(x)"),
    ],
)
def test_conditions_and_comparisons(text, expected) -> None:
    assert expanded(text, lambda name: VALUES.get(name, "")) == expected


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("${stress?{5}:{10}", 'main.cf:1: default_process_limit: "{stress?{5}:{10}" is never'),
        ("${{1} =~ {1}?{2}}", "is no comparison"),
        ("${{1} == 1?{2}}", "compares with nothing"),
        ("${{1} == {1}{2}}", "needs ? or :"),
        ("${a?{1}{2}}", 'ends in "{2}"'),
        ("${a-b}", "needs ? or :"),
        ("${f{x}}", 'the function "f" is not understood'),
        ("${}", "names no parameter"),
        ("$", "names no parameter"),
        ("${{1} <level {x}?{2}}", "is no compatibility level"),
        ("${a:{" * 60 + "5" + "}}" * 60, "nested more than 50 times"),
    ],
)
def test_what_postfix_does_not_read_is_told(put, value, message) -> None:
    with pytest.raises(SendcapError) as caught:
        import_postfix(put(f"default_process_limit = {value}", "main.cf"), {"gmail": 1.0})
    assert message in str(caught.value)


def test_a_parameter_that_others_refer_to_is_not_called_unused(put) -> None:
    text = "default_destination_concurrency_limit = ${fast?{$much}:{2}}\nfast = 1\nmuch = 40\n"
    made = import_postfix(put(text), {"gmail": 1.0})
    assert made.scenario.providers["gmail"].connections_per_ip == 40
    report = made.report.set_index("setting")
    assert list(report.loc[["fast", "much"], "status"]) == ["used", "used"]

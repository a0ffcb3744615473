"""Whatever a file holds, an import ends in time: with a scenario, or with a line that says why."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pace import in_time

from sendcap.errors import SendcapError
from sendcap.importers import (
    import_exim,
    import_kumomta,
    import_opensmtpd,
    import_postfix,
    import_powermta,
)
from sendcap.importers.plan import audience_of
from sendcap.importers.postfix.master import services_of
from sendcap.importers.postfix.routing import routes_of
from sendcap.importers.reading import Text

ALL = {
    "kumomta": import_kumomta,
    "postfix": import_postfix,
    "exim": import_exim,
    "opensmtpd": import_opensmtpd,
    "powermta": import_powermta,
}
LONG = 150_000
"""Characters of a very long line."""
LONGEST_S = 1.0
"""CPU for such a line; what takes a time that grows as its square takes hours."""
MANY = 50_000
"""Domains of a very long list."""
LONGEST_LIST_S = 1.5
"""CPU for such a list."""

PIECES = {
    "kumomta": [
        '["default"]', '[provider."google"]', "[[default.automation]]", "connection_limit = 5",
        'match = [{MXSuffix = ".google.com"}]', 'max_message_rate = "1/s"', 'idle_timeout = "1s"',
        'regex = "\\\\[x"', 'action = "Suspend"', 'duration = "1h"', 'trigger = "Immediate"',
        "replace_base = true", '["gmail.com".sources."a"]', 'max_connection_rate = "1/s"',
    ],
    "postfix": [
        "default_destination_concurrency_limit = 5", "  continued", "# comment", "$x", "a = $b",
        "minimal_backoff_time = 5s", "smtp_destination_rate_delay = 1s", "b = ${a?1}", "= 1", "x =",
        "relayhost = [a.org]:25", "transport_maps = randmap:{smtp,x:}", "y = ${{$a} < {2}?{3}}",
        "smtp_tls_policy_maps = inline:{gmail.com=may}", "smtp_tls_security_level = may",
        "default_transport_rate_delay = 1s", "queue_run_delay = ${a?{5}:{$b}}",
    ],
    "exim": [
        "* * F,4d,6h", "begin retry", "begin acl", "* quota", '"a b" * F,1h,1m', "a = b", "\\",
        "* * senders=: G,1h,1m,1.5", "retry_interval_max = 1h", "# comment", ".ifdef X", "F,",
        "begin transports", "remote_smtp:", "driver = smtp", "connection_max_messages = 5",
        ".else", ".endif", "X = F,1h,1m", "* * X", ".include x", "domainlist x = a.org : ! b.org",
        "*@+x * F,1h,1m", "begin routers", "driver = dnslookup", "transport = remote_smtp",
        "domains = !+x", "max_parallel = 2", "queue_only", "!gmail.com * F,1h,1m",
    ],
    "opensmtpd": [
        "mta limit max-conn-per-host 5", "mta limit for domain gmail.com", "queue ttl 4d", "{", "}",
        'action "a" relay', 'action "a" relay host smtp://b.org src <t> ttl 1d', "table t { a, b }",
        "match from any for any action a", "match !for domain <t> action a", "x = 5", "$x", "\\",
        "include x", "mta limit conn-delay-route $x", "# comment", "table t { a = b }", '"', "a",
        "mta limit", "mta limit for domain", "action", "match for domain regex a action a",
        "mta max-deferred 5", "scheduler limit max-inflight 5", "action a relay src", "smtp limit",
    ],
    "powermta": [
        "<domain *>", "</domain>", "<domain $m>", "domain-macro m a.org,b.org", "max-smtp-out 5",
        "max-msg-rate 5/m", "<virtual-mta v>", "</virtual-mta>", "retry-after 1m,2m", "queue-to x",
        "<smtp-pattern-list p>", "</smtp-pattern-list>", "reply /a/ mode=backoff", "<", "# x",
        "smtp-pattern-list p", "include nothing", "backoff-max-msg-rate 1/m", "bounce-after 1d",
        "<bounce-category-patterns>", "</bounce-category-patterns>", "/spam/ spam-related",
        "<pattern-list l>", "</pattern-list>", "rcpt-to /a/ <pattern-list>", "* virtual-mta=v",
    ],
}  # fmt: skip

quiet = settings(
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def outcome(make, *arguments) -> None:
    """Import, and check what a refusal says."""
    try:
        made = make(*arguments)
    except SendcapError as error:
        message = str(error)
        assert message
        assert all(line.isprintable() for line in message.splitlines())
        assert len(message) < 20_000
    else:
        assert made.scenario.providers
        assert all(map(str.isprintable, made.report["setting"] + made.report["value"]))


@pytest.mark.parametrize("name", ALL)
@quiet
@given(content=st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_any_bytes(put, name, content) -> None:
    outcome(ALL[name], put(content))


@pytest.mark.parametrize("name", ALL)
@quiet
@given(data=st.data())
def test_lines_of_the_real_grammar_in_any_order(put, name, data) -> None:
    line = st.sampled_from(PIECES[name]) | st.text(max_size=20)
    lines = data.draw(st.lists(line, max_size=12))
    outcome(ALL[name], put("\n".join(lines)))


HOSTILE: dict[str, Callable[[int], str]] = {
    "letters": lambda many: "a" * many,
    "spaces": lambda many: "a" + " " * many + "b",
    "tabs": lambda many: "a =\t" + "\t" * many + "x",
    "equals": lambda many: "=" * many,
    "assignment": lambda many: "a = " + "b" * many,
    "brackets": lambda many: "[" * many,
    "tags": lambda many: "<" * many,
    "tag": lambda many: "<domain " + " " * many + "x",
    "tag argument": lambda many: "<domain " + "x" * many + ">",
    "quotes": lambda many: '"' * many,
    "quoted": lambda many: 'a = "' + "\\\\" * (many // 2) + '"',
    "backslashes": lambda many: "\\" * many,
    "dollars": lambda many: "default_process_limit = " + "$" * many,
    "references": lambda many: "default_process_limit = " + "${a" * (many // 3),
    "macros": lambda many: "<domain " + "$x" * (many // 2) + ">",
    "commas": lambda many: "domain-macro x " + "a," * (many // 2),
    "slashes": lambda many: "reply " + "/" * many,
    "patterns": lambda many: "reply /a/ " + "mode=backof " * (many // 12),
    "retries": lambda many: "* * " + "F,1h,1m;" * (many // 8),
    "numbers": lambda many: "connection_limit = " + "9" * many,
    "dotted": lambda many: ".".join("a" * (many // 2)) + " = 1",
    "many dotted": lambda many: ("a." * 9_999 + "a = 1\n") * 5,
    "unprintable": lambda many: "\x1b[31m" * (many // 5),
    "braces": lambda many: "transport_maps = " + "{" * many,
    "conditions": lambda many: "default_process_limit = ${a?{" * (many // 28),
    "macro": lambda many: "A = AA\n* * " + "A" * many,
    "list": lambda many: '"!+' + "a : !" * (many // 5) + '" * F,1h,1m',
    "emoji": lambda many: "\N{PILE OF POO}" * (many // 4),
    "line ends": lambda many: "\n" * many,
    "words": lambda many: "a " * (many // 2),
}


@pytest.mark.parametrize("line", HOSTILE)
@pytest.mark.parametrize("name", ALL)
def test_a_very_long_line_ends_in_time(put, name, line) -> None:
    path = put(HOSTILE[line](LONG))
    with in_time(LONGEST_S):
        outcome(ALL[name], path)


@pytest.mark.parametrize(
    "text",
    [
        "x unix - - n - - smtp " + "-o {" * (LONG // 4),
        "x unix - - n - - smtp -o " + " " * LONG + "x",
        "x unix - - n - - smtp " + "-o a=b " * (LONG // 7),
        "x unix" + " " * LONG,
    ],
)
def test_services_and_routes_end_in_time_too(put, text) -> None:
    with in_time(LONGEST_S):
        for read in (services_of, routes_of):
            with suppress(SendcapError):
                read(Text(put(""), "file", text))


def test_a_list_of_many_domains_ends_in_time(put) -> None:
    rows = "".join(f"domain-{number}.example.org,{number}\n" for number in range(1, MANY))
    shaping, audience = put('["default"]\nconnection_limit = 3'), put(rows, "audience.csv")
    with in_time(LONGEST_LIST_S):
        made = import_kumomta(shaping, audience, messages=1000)
    assert made.scenario.deliveries[0].audience == {"other": 1.0}
    # The tail is held to a hundred domains' limits.
    assert made.scenario.providers["other"].connections_per_ip == 300
    assert len(audience_of(put(rows, "audience.csv")).weights) == MANY - 1


def test_many_rules_for_many_domains_end_in_time(put) -> None:
    rows = "".join(f"domain-{number}.example.org,{number % 7 + 1}\n" for number in range(50_000))
    routes = "".join(f"domain-{number}.example.org slow:\n" for number in range(50_000))
    rules = "".join(f"domain-{number}.example.net * F,1h,5m\n" for number in range(1000))
    audience = put(rows, "audience.csv")
    with in_time(LONGEST_LIST_S):
        made = import_exim(put(f"{rules}* * F,4d,6h\n", "exim"), audience)
        assert set(made.scenario.providers) == {"other"}
        made = import_postfix(put("a = b"), audience, transport=put(routes, "transport"))
        assert set(made.scenario.providers) == {"slow"}


@pytest.mark.parametrize("name", ALL)
def test_what_is_no_file_of_text_is_told(put, tmp_path, name) -> None:
    for source, message in (
        (tmp_path, "is a directory"),
        (tmp_path / "nothing", "No such file or directory"),
        (tmp_path / ("x" * 300), "the name is too long"),
        ("a\0b", "is not a valid file name"),
        ("", "is empty"),
        (put(b"\x7fELF\x00\xff", "binary"), "is not UTF-8 text"),
        (put("a\nb\0", "nul"), "line 2 has a NUL character"),
        (put(b"#" * 10_000_001, "enormous"), "enormous"),
    ):
        with pytest.raises(SendcapError) as caught:
            ALL[name](source)
        assert message in str(caught.value)
        assert str(caught.value).isprintable()


NOTHING = {
    **dict.fromkeys(ALL, ("", "# a\n\n  # b\n")),
    "kumomta": ("", "# a\n\n  # b\n", "\N{BYTE ORDER MARK}\r\n"),
    "postfix": ("", "# a\n\n  # b\n", "postconf: warning: main.cf: unused parameter: a=b\n"),
}


@pytest.mark.parametrize(
    ("name", "text"), [(name, text) for name, texts in NOTHING.items() for text in texts]
)
def test_a_file_from_which_nothing_is_read_is_refused(put, name, text) -> None:
    with pytest.raises(SendcapError) as caught:
        ALL[name](put(text))
    assert str(caught.value).endswith(
        "configuration: nothing was read: it is empty or has only comments; give a file with "
        "settings"
    )


@pytest.mark.parametrize(
    ("make", "file"),
    [
        (lambda main, file: import_postfix(main, master_cf=file), "master.cf"),
        (lambda main, file: import_postfix(main, transport=file), "transport"),
        (lambda main, file: import_kumomta(main, queue=file), "queue.toml"),
        (lambda main, file: import_kumomta([main, file]), "more.toml"),
        (lambda main, file: import_kumomta([main, file]), "more.json"),
    ],
)
def test_nor_is_one_beside_another(put, make, file) -> None:
    main = put("default = {}\n")
    empty = put("{}" if file.endswith(".json") else "# nothing yet\n", file)
    with pytest.raises(SendcapError, match=f"{file}: nothing was read: it is empty"):
        make(main, empty)


def test_an_included_file_from_which_nothing_is_read_is_a_warning(put) -> None:
    put("# nothing yet\n", "more")
    made = import_powermta(put("include more\nmax-smtp-out 3\n"))
    (warning,) = (each for each in made.findings if each.setting == "include")
    assert "more: nothing was read: it is empty or has only comments" in warning.why


@pytest.mark.parametrize("name", ALL)
def test_terminal_escapes_in_values_are_written_out(put, name) -> None:
    text = {
        "kumomta": '["default"]\n"foo\\u001b[31m" = "\\u001b[31m\\u202e"',
        "postfix": "foo = \x1b[31m\u202e",
        "exim": "foo = \x1b[31m\u202e\nbegin retry\n* * F,4d,6h",
        "opensmtpd": 'listen on lo\n"foo\x1b[31m\u202e" 1',
        "powermta": "foo \x1b[31m\u202e",
    }[name]
    made = ALL[name](put(text))
    for column in ("setting", "value", "where", "scenario", "why"):
        assert all(map(str.isprintable, made.report[column])), column
    assert "\x1b" not in made.text

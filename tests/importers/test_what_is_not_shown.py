"""An import shows no value of a setting that it does not understand, and no address."""

from __future__ import annotations

import pytest

from sendcap.errors import SendcapError
from sendcap.importers import (
    import_exim,
    import_kumomta,
    import_opensmtpd,
    import_postfix,
    import_powermta,
)
from sendcap.importers.kumomta import import_kumomta as with_queue

SECRET = "opensesame"
RULE = '[["default".automation]]\nregex = "4"\nduration = "1h"\naction = '
HOLDS = {
    "kumomta": (
        import_kumomta,
        (
            f'["default"]\nmysql_x = "password={SECRET}"',
            f'["default"]\nproxy-pass = "{SECRET}"',
            f'["default"]\nsmtp_auth = {{ key_data = "{SECRET}" }}',
            f'["default".sources."a"]\nsocks5 = "{SECRET}"',
            f'{RULE}{{ SetConfig = {{ name = "smtp_auth", value = "{SECRET}" }} }}',
            f'{RULE}["Suspend", {{ SetConfig = {{ name = "x", value = "{SECRET}" }} }}]',
            f'{RULE}{{ SetConfig = {{ nme = "x", value = "{SECRET}" }} }}',
            f'smtp_auth = "{SECRET}"',
            f'provider = ["{SECRET}"]',
        ),
    ),
    "postfix": (
        import_postfix,
        (
            f"mysql_x = password={SECRET}",
            f"proxy-pass = {SECRET}",
            f"mysql_x = {SECRET}\nmysql_x = {SECRET}",
            f"smtp_sasl_password_maps = static:user:{SECRET}",
            f"smtp_sasl_password_maps static:user:{SECRET}",
            SECRET,
        ),
    ),
    "exim": (
        import_exim,
        (
            f"mysql_x = password={SECRET}\nbegin retry\n* * F,4d,6h",
            f"hide mysql_servers = {SECRET}\nbegin retry\n* * F,4d,6h",
            f"begin transports\nt:\nclient_send = {SECRET}\nbegin retry\n* * F,4d,6h",
            f"DB_PASSWORD = {SECRET}\n* * F,4d,6h",
            f"* * F,4d,6h\n{SECRET}",
            f'* * F,4d,6h\n"{SECRET}',
        ),
    ),
    "opensmtpd": (
        import_opensmtpd,
        (
            f"queue encryption {SECRET}",
            f"table t {{ label = user:{SECRET} }}",
            f'action "a" relay host smtp+tls://{SECRET}@b.org auth <t>',
            f"srs key {SECRET}",
            f"x = {SECRET}",
        ),
    ),
    "powermta": (
        import_powermta,
        (
            f"mysql-x password={SECRET}",
            f"<domain *>\nproxy-pass {SECRET}\n</domain>",
            f"<smtp-user {SECRET}>\n</smtp-user>",
            f"<smtp-user u>\npassword {SECRET}\n</smtp-user>",
            f"= {SECRET}",
            f"<{SECRET}",
        ),
    ),
}
CASES = [
    pytest.param(make, text, id=f"{name}-{number}")
    for name, (make, texts) in HOLDS.items()
    for number, text in enumerate(texts)
]


def said(make, *arguments, **more) -> str:
    """Everything that a user may pass on: the report and the scenario, or the error."""
    try:
        made = make(*arguments, **more)
    except SendcapError as error:
        return str(error)
    return made.report.to_csv() + made.text


@pytest.mark.parametrize(("make", "text"), CASES)
def test_the_value_of_an_unknown_setting_is_not_shown(put, make, text) -> None:
    assert SECRET in text
    assert SECRET not in said(make, put(text))


def test_the_value_of_an_unknown_setting_of_a_queue_is_not_shown(put) -> None:
    shaping = put('["default"]\nconnection_limit = 3', "shaping.toml")
    for text in (
        f'[queue.default]\nprotocol = {{ smtp = {{ auth = "{SECRET}" }} }}',
        f'[queue.default]\nproxy = "{SECRET}"\n[queue."a.org"]\nproxy = "{SECRET}"',
        f'[tenant."t"]\nproxy = "{SECRET}"',
        f'proxy = "{SECRET}"',
        f'queue = "{SECRET}"',
    ):
        assert SECRET not in said(with_queue, shaping, queue=put(text, "queue.toml"))


def test_values_of_settings_that_are_understood_are_shown(put) -> None:
    report = import_kumomta(
        put(
            '["default"]\nconnection_limit = 3\n'
            '[provider.google]\nmatch = [{ MXSuffix = ".google.com" }]\n'
            "provider_connection_limit = 7"
        ),
        {"gmail": 1.0},
    ).report
    beaten = report[report["status"] == "not used"]
    assert "7" in set(beaten["value"])


@pytest.mark.parametrize("name", HOLDS)
def test_a_path_that_holds_an_address_does_not_reach_report_and_scenario(tmp_path, name) -> None:
    home = tmp_path / "ann@corp.example"
    home.mkdir()
    path = home / "bob@corp.example.cf"
    path.write_text(
        {
            "kumomta": '["default"]\nconnection_limit = 3\nfoo = 1',
            "postfix": "default_destination_concurrency_limit = 3\nfoo = 1",
            "exim": "foo = 1\nbegin retry\n* * F,4d,6h\nann@corp.example * F,1h,1m",
            "opensmtpd": "mta limit max-conn-per-host 3\nfoo 1",
            "powermta": "<domain *>\nmax-smtp-out 3\nfoo 1\n</domain>",
        }[name]
    )
    text = said(HOLDS[name][0], path)
    assert "corp.example" not in text
    assert "(address)" in text


def test_an_audience_by_address_is_refused_without_the_address(put) -> None:
    with pytest.raises(SendcapError, match=r"^audience: has an address") as caught:
        import_kumomta(put('["default"]'), "ann@corp.example=0.5,other=0.5")
    assert "ann" not in str(caught.value)

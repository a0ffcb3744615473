"""What a file is, told by its keys or its lines: a scenario, a study, or a file of an MTA.

A file of another kind has no key that is known, so that a list of unknown keys would not help.
"""

import re
import zlib
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

SCENARIO: Final = "a scenario"
SWEEP: Final = "a study of `sendcap sweep`"
OPTIMISATION: Final = "a study of `sendcap optimise`"

_KUMOMTA: Final = "`sendcap import kumomta` reads it"

_KEYS: Final = {
    SCENARIO: {"deliveries", "providers"},
    OPTIMISATION: {"levers", "target"},
    SWEEP: {"over", "points", "design"},
    "traffic shaping of KumoMTA": {"default", "provider"},
    "a queue file of KumoMTA": {"queue", "tenant"},
    "a sources file of KumoMTA": {"source", "pool"},
}
_READERS: Final = {
    SCENARIO: "`sendcap run` reads it",
    SWEEP: "`sendcap sweep` reads it",
    OPTIMISATION: "`sendcap optimise` reads it",
}
"""The commands; all others are for an importer."""
_NEEDS: Final = {
    SCENARIO: "a scenario has [[deliveries]] and [providers]",
    SWEEP: "a study names a scenario and has [over], [design] or points",
    OPTIMISATION: "a study names a scenario and has [levers] and a [target]",
}


def other_kind(data: Mapping[str, Any], wanted: str) -> str | None:
    """Return the problem of a TOML file that is empty or of another kind than the wanted one.

    >>> other_kind({"deliveries": []}, OPTIMISATION).partition(";")[0]
    'is a scenario, not a study of `sendcap optimise`'
    """
    if not data:
        return f"is empty; {_NEEDS[wanted]}"
    kind = next((kind for kind, keys in _KEYS.items() if not keys.isdisjoint(data)), wanted)
    if kind == wanted:
        return None
    return f"is {kind}, not {wanted}; {_READERS.get(kind, _KUMOMTA)}; {_NEEDS[wanted]}"


class _Kind(NamedTuple):
    """A kind of files."""

    name: str  # before the word "file"
    reader: str  # which command reads it
    signs: str  # expression of what stands in its lines


_LOG: Final = "`sendcap calibrate` reads it"
_QUEUE: Final = "`sendcap drain` reads it, with --queue"
_NOBODY: Final = "no command reads it: write its limits into a scenario"

_FILES: Final = (
    _Kind(
        "Postfix configuration",
        "`sendcap import postfix` reads it",
        r"^(?:my(?:destination|hostname|domain|origin|networks\w*)|inet_(?:interfaces|protocols)"
        r"|(?:queue|command|daemon|data)_directory|mail_owner|alias_(?:maps|database)|relayhost"
        r"|compatibility_level|relay_domains|transport_maps|recipient_delimiter|smtpd_\w+"
        r"|postscreen_\w+|virtual_\w+|milter_\w+|mailbox_\w+|(?:min|max)imal_\w+|qmgr_\w+"
        r"|queue_run_delay|bounce_queue_lifetime|\w+_(?:destination|transport)_\w+"
        r"|default_(?:process_limit|transport)|initial_destination_concurrency|soft_bounce"
        r"|(?:smtp|lmtp)_(?:tls|sasl|bind|helo|host|connection|generic|fallback|use|mx)_\w+)"
        r"[ \t]*=",
    ),
    _Kind(
        "Postfix master.cf",
        "`sendcap import postfix` takes it with --master",
        r"^[\w.:/-]+[ \t]+(?:inet|unix|unix-dgram|fifo|pass)[ \t]+(?:[yn-][ \t]+){3}\S+[ \t]+\S+"
        r"[ \t]",
    ),
    _Kind(
        "Exim configuration",
        "`sendcap import exim` reads it",
        r"^(?:begin[ \t]+(?:acl|routers|transports|retry|rewrite|authenticators)[ \t]*$"
        r"|(?:hide[ \t]+)?(?:domain|host|address|localpart)list[ \t]+\w+[ \t]*="
        r"|(?:acl_(?:not_)?smtp\w*|primary_hostname|never_users|qualify_domain|trusted_users"
        r"|retry_interval_max|remote_max_parallel|timeout_frozen_after)[ \t]*="
        r"|[ \t]*driver[ \t]*=[ \t]*(?:dnslookup|manualroute|accept|redirect|smtp|lmtp|append)"
        r"|[^\n=]{1,200}[ \t][FGH],[ \t]*(?:\d+[wdhms]){1,4}[ \t]*,)",
    ),
    _Kind(
        "OpenSMTPD configuration",
        "`sendcap import opensmtpd` reads it",
        r"^[ \t]*(?:listen[ \t]+on[ \t]"
        r"|match[ \t]+(?:![ \t]*)?(?:from|for|auth|tag|tls|helo|mail-from)\b"
        r"|action[ \t]+\S+[ \t]+(?:relay|mbox|maildir|lmtp|mda|forward-only|expand-only)\b"
        r"|table[ \t]+\S+[ \t]+(?:\{|[a-z]+:)"
        r"|(?:queue|smtp|bounce)[ \t]+(?:ttl|max-|warn-|compr|encr)"
        r"|mta[ \t]+(?:limit|max-)|(?:pki|ca)[ \t]+\S+[ \t]+(?:cert|key|dhe)\b)",
    ),
    _Kind(
        "PowerMTA configuration",
        "`sendcap import powermta` reads it",
        r"^[ \t]*(?:</?(?:domain|virtual-mta(?:-pool)?|source|acct-file|spool|smtp-user"
        r"|mx-rollup-list|smtp-pattern-list|bounce-category-patterns)\b"
        r"|(?:max-smtp-out|max-(?:msg|connect)-rate|max-msg-per-connection|retry-after|bounce-after"
        r"|smtp-source-(?:host|ip)|smtp-listener|http-mgmt-port|http-access|domain-macro"
        r"|backoff-\S+)[ \t])",
    ),
    _Kind(
        "KumoMTA shaping",
        _KUMOMTA,
        r"^[ \t]*(?:\[\[?[ \t]*(?:\"?default\"?|provider|queue|tenant|source|pool)[ \t]*[].]"
        r"|\"?(?:connection_limit|max_connection_rate|max_message_rate|max_deliveries_per_connection"
        r"|mx_rollup|replace_base|source_selection_rate|egress_pool|source_address"
        r"|(?:max_)?retry_interval"
        r"|additional_\w+)\"?[ \t]*[=:])",
    ),
    _Kind(
        "KumoMTA policy",
        "`sendcap import kumomta` reads its shaping files",
        r"^[ \t]*(?:local[ \t]+\w+[ \t]*=[ \t]*)?"
        r"(?:require[ \t(]*['\"]|kumo\.(?:on|start_|make_|conf|define))",
    ),
    _Kind(
        "Momentum configuration",
        _NOBODY,
        r"^[ \t]*(?:(?:Max_)?Retry_Interval[ \t]*=|(?i:(?:ESMTP_Listener|ECStream_Listener"
        r"|HTTP_Listener|Binding(?:_Group)?|Domain|Peer|Cluster|Datasource)\b[^\n{]{0,200}\{"
        r"|(?:(?:Server_|Cluster_)?Max_Outbound_Connections|Outbound_Throttle_\w+|Message_Expiration"
        r"|Max_Resident_\w+|Spoolbase)[ \t]*=))",
    ),
    _Kind(
        "sendmail configuration",
        _NOBODY,
        r"^(?:(?:divert|VERSIONID|OSTYPE|FEATURE|MAILER|define)\(|O (?:Timeout\.\w+|[A-Z]\w+)="
        r"|V\d+/Berkeley|M\w+,[ \t]+P=)",
    ),
    _Kind(
        "Adobe Campaign configuration",
        _NOBODY,
        r"^[ \t]*<(?:serverConf|IPAffinity|mta|relay|mxRule|domainKey)\b",
    ),
    _Kind(
        "Postfix log",
        _LOG,
        r"postfix(?:-[\w-]{1,40})?/(?:[\w-]{1,40}/)?\w{1,20}\[\d{1,9}\]: "
        r"|, dsn=\d\.\d+\.\d+, status=",
    ),
    _Kind(
        "Exim log",
        _LOG,
        r"\d\d:\d\d:\d\d(?:\.\d{1,6})?(?: [+-]\d{4})?(?: \[\d{1,9}\])? "
        r"\w{6}-\w{6,11}-\w{2,4} (?:<=|=>|->|>>|==|\*\*|Completed|Frozen)",
    ),
    _Kind(
        "OpenSMTPD log",
        _LOG,
        r"smtpd(?:\[\d{1,9}\])?: [0-9a-f]{16} (?:smtp|mta|mda) ",
    ),
    _Kind(
        "KumoMTA log",
        _LOG,
        r'\\?"type\\?": ?\\?"(?:Delivery|TransientFailure|Bounce|Expiration|AdminBounce|OOB'
        r'|Reception)\\?"',
    ),
    _Kind(
        "PowerMTA accounting",
        _LOG,
        r'^\W{0,4}type"?[,;|\t]"?timeLogged|^"?(?:[dbtr]|rb|tq)"?[,;|\t]"?(?:\d{10}|\d{4}-\d\d-\d\d|\d\d/\d\d/)',
    ),
    _Kind(
        "Momentum log",
        _LOG,
        r"(?<!\d)\d{9,19}(?:\.\d{1,9})?@[^@\n]{1,100}@[^@\n]{0,100}@[^@\n]{0,100}@[A-Z]@",
    ),
    _Kind(
        "event",
        _LOG,
        r'"(?:sg_message_id|sg_event_id|notificationType|message_event|log-level|smtp-id)"\s{0,9}:',
    ),
    _Kind(
        "queue",
        _QUEUE,
        r'^\{"queue_name"|^-+ ?(?:Queue ID|Q-ID) ?-+|^[ \t]*T[ \t]+5[ \t]+10[ \t]+20[ \t]'
        r"|^[ \t]{1,4}\d+[mhdw][ \t]+[\d.]+[KM]?[ \t]+\w{6}-\w+-\w+",
    ),
    _Kind(
        "scenario",
        "`sendcap run` reads it",
        r"^[ \t]*\[(?:\[deliveries\]\]|providers[.\]]|relay\])",
    ),
    _Kind(
        "study",
        "`sendcap sweep` or `sendcap optimise` reads it",
        r"^[ \t]*\[(?:over|design|levers|target)[.\]]",
    ),
)
_TOLD_APART_BY_KEYS: Final = dict.fromkeys(("KumoMTA queue", "KumoMTA sources"), "KumoMTA shaping")
"""Kinds that the importer tells apart from another one."""
_HEAD: Final = 1 << 17
"""Bytes, or characters, that tell what a file is."""
_GZIP: Final = b"\x1f\x8b"


def as_file(name: str) -> str:
    """Return a kind of files with its article.

    >>> as_file("Exim configuration"), as_file("study")
    ('an Exim configuration file', 'a study file')
    """
    return f"{'an' if name[:1].casefold() in 'aeiou' else 'a'} {name} file"


def mistaken(content: str | bytes, wanted: str) -> str | None:
    """Return the problem of a file that looks like one of another kind, by its first lines.

    ``wanted`` is a name in the table, or that of a kind whose lines have no signs.

    >>> mistaken("mydestination = a.example", "Exim configuration").partition(",")[0]
    'is a Postfix configuration file'
    """
    head = content[:_HEAD]
    text = head if isinstance(head, str) else _text(head)
    own = _TOLD_APART_BY_KEYS.get(wanted, wanted)
    signs = {kind: len(re.findall(kind.signs, text, re.MULTILINE)) for kind in _FILES}
    kind = max(signs, key=lambda each: (signs[each], each.name == own))
    if not signs[kind] or kind.name == own or (wanted == "log" and kind.reader == _LOG):
        return None
    return f"is {as_file(kind.name)}, not {as_file(wanted)}; {kind.reader}"


def _text(head: bytes) -> str:
    if head.startswith(_GZIP):
        try:
            head = zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(head, _HEAD)
        except zlib.error:
            return ""
    return head.decode("utf-8", "replace")

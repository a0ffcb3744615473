"""The reason is in the reply itself, not in the names that it quotes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sendcap.calibration.calibrate import Calibration, calibrate
from sendcap.calibration.outcomes import _TABLES, _reason, _telling, packed, read_reply
from sendcap.calibration.reasons import GONE, REASONS, broad, named


def reason(text: str, enhanced: int = 0, category: str = "") -> str:
    return REASONS[read_reply(text.encode(), enhanced, 0, category).reason]


def hard_of(calibration: Calibration) -> set[str]:
    return {reason for provider in calibration.providers for reason in provider.hard}


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        ("10-reason-recipient-quotation/mail.log", "user unknown"),
        ("11-reason-recipient-marble/mail.log", "user unknown"),
        ("13-pmta-bad-mailbox/acct.csv", "user unknown"),
    ],
)
def test_hard_bounces_of_the_cases(shared, case, expected) -> None:
    assert hard_of(calibrate([shared(f"cases/{case}")])) == {expected}


def test_a_recipient_who_gets_too_much_is_throttled(shared) -> None:
    found = calibrate([shared("cases/15-gmail-too-quickly/mail.log")])
    assert found.providers[0].transient_reasons == {"throttled": 3}


# Names of people, hosts and pages hold any word (RFC 5321, section 4.1.2: Local-part and Domain).
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("host mx.quota-mail.example[192.0.2.7] said: 550 5.1.1 <a@b.example>: no", "user unknown"),
        ("host mx.b.example[192.0.2.7] said: 554 5.7.1 <quota@b.example>: refused", "other"),
        ("550 No such user: spam.trap@greylist.example", "user unknown"),
        ('550 "rate limit"@b.example unknown user', "user unknown"),
        ("550 5.0.0 User 'quota' unknown user", "user unknown"),
        ("550 5.1.1 quota... User unknown", "user unknown"),
        ("<dkim@example.org>: mailbox is full", "mailbox full"),
        ("452 4.3.1 mailbox of a@b.example is full: over-quota", "mailbox full"),
        ("451 4.3.0 see https://help.example/quota/spf?dmarc=1 for help", "other"),
        ("connect to rbl.example.org[192.0.2.250]:25: Connection timed out", "unreachable"),
        ("lost connection with quota-mx[2001:db8::1] while sending RCPT TO", "unreachable"),
        ("550 the marble quotation of the title was dispatched", "other"),
        ("554 Denied by policy of mx.greylist.example", "blocked"),
        (("SMTP error from remote mail server after RCPT TO:<quota@b.example>: "
         "550 no such address here"), "user unknown"),
    ],
)  # fmt: skip
def test_no_name_in_a_reply_is_a_reason(text, expected) -> None:
    assert reason(text) == expected


# Several lines of one reply (RFC 5321, section 4.2.1), as MTAs join them.
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (("550-5.1.1 The email account that you tried to reach does\r\n"
         "550 5.1.1 not exist."), "user unknown"),
        ("450-4.2.1 The user is receiving mail too\\n450 4.2.1 quickly.", "throttled"),
        (("450-4.2.1 The user you try to reach is receiving 450-4.2.1 mail at a rate that prevents "
         "450 4.2.1 more"), "throttled"),
        (("554-gmx.net (mx104) Nemesis ESMTP Service not available 554-No SMTP service "
         "554-IP address is block listed. 554 For explanation visit https://postmaster.gmx.net/x"),
         "blocked"),
        ("550-Sorry, no mail-box\n550 here by that name. (#5.1.1)", "user unknown"),
    ],
)  # fmt: skip
def test_lines_of_a_reply_are_read_together(text, expected) -> None:
    assert reason(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("552 Postfach ist überfüllt", "mailbox full"),
        ("550 Benutzer unbekannt", "user unknown"),
        ("550 5.0.0 Empfänger unbekannt", "user unknown"),
        ("421 Zu viele Verbindungen", "throttled"),
        ("550 Utilisateur inconnu", "user unknown"),
        ("552 Boîte pleine", "mailbox full"),
        ("421 mwinf5c20 ME Trop de connexions, veuillez verifier votre configuration", "throttled"),
        ("550 El usuario no existe", "user unknown"),
        ("552 Buzón lleno", "mailbox full"),
        ("552 ящик переполнен", "mailbox full"),
        ("550 Utente sconosciuto", "user unknown"),
    ],
)
def test_replies_in_other_languages(text, expected) -> None:
    assert reason(text) == expected


# The provider's own page, or who collects its replies, is named in `well_known`.
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # Google: https://support.google.com/a/answer/3726730
        ("421-4.7.28 [192.0.2.1 15] Gmail has detected an unusual rate of mail", "throttled"),
        (("450 4.2.1 The user you are trying to contact is receiving mail at a rate that "
         "prevents additional messages from being delivered"), "throttled"),
        ("421 4.4.5 Server busy, try again later", "throttled"),
        ("450 4.2.1 Peak SMTP relay limit exceeded for customer", "throttled"),
        ("550 5.7.1 Our system has detected an unusual rate of unsolicited mail", "throttled"),
        ("452 4.2.2 The email account that you tried to reach is over quota", "mailbox full"),
        ("550 5.2.1 The email account that you tried to reach is disabled", "account disabled"),
        ("550 5.7.26 This mail is unauthenticated", "authentication"),
        ("550-5.7.27 Gmail requires all senders to authenticate with SPF", "authentication"),
        ("550 5.7.30 Gmail requires senders to authenticate with DKIM", "authentication"),
        ("421 4.7.0 very low reputation of the sending domain", "blocked"),
        # Microsoft: "Email non-delivery reports in Exchange Online", and outlook.com's own page
        (("451 4.7.650 The mail server [192.0.2.1] has been temporarily rate limited due to IP "
         "reputation. (S775)"), "throttled"),
        ("451 4.7.651 The mail server has been temporarily rate limited", "throttled"),
        ("451 4.7.652 The mail server [192.0.2.1] has exceeded the maximum number of connections",
         "throttled"),
        ("451 4.7.500 Server busy. Please try again later from [192.0.2.1]. (S77719)", "throttled"),
        ("451 4.7.550 Access denied, please try again later", "throttled"),
        ("421 RP-001 (BAY004-MC4F49) Unfortunately, some messages weren't sent", "throttled"),
        ("550 SC-001 (BAY004) Unfortunately, messages from 192.0.2.1 weren't sent", "blocked"),
        (("550 5.7.1 Unfortunately, messages from [192.0.2.1] weren't sent. Please contact your "
         "Internet service provider since part of their network is on our block list (S3150)"),
         "blocked"),
        ("550 5.7.606 Access denied, banned sending IP [192.0.2.1]", "blocked"),
        ("550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found", "user unknown"),
        ("550 5.2.122 The recipient has exceeded their limit for messages", "throttled"),
        ("550 5.4.1 Recipient address rejected: Access denied. [x.prod.protection.outlook.com]",
         "user unknown"),
        (("550 5.7.515 Access denied, sending domain does not meet the required authentication "
         "level"), "authentication"),
        # Yahoo and AOL: https://senders.yahooinc.com/smtp-error-codes
        (("421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred due to unexpected volume "
         "or user complaints - 4.16.55.1"), "throttled"),
        ("421 4.7.1 [TS03] All messages from 192.0.2.1 will be permanently deferred", "throttled"),
        ("451 4.2.1 user is receiving mail too quickly", "throttled"),
        ("553 5.7.1 [BL21] Connections will not be accepted from 192.0.2.1", "blocked"),
        ("554 delivery error: dd This user doesn't have a yahoo.com account", "user unknown"),
        ("554 30 Sorry, your message cannot be delivered. This mailbox is disabled (554.30).",
         "account disabled"),
        # Apple: https://support.apple.com/102322
        ("421 4.7.1 Messages to example@icloud.com deferred due to excessive volume", "throttled"),
        ("550 5.7.1 [CS01] Message rejected due to local policy", "blocked"),
        ("550 5.1.1 unknown or illegal alias: joe@me.com", "user unknown"),
        # Comcast: https://postmaster.comcast.net/smtp-error-codes.php
        (("421 4.1.0 192.0.2.1 Throttled - try again later. Please see "
         "http://postmaster.comcast.net/smtp-error-codes.php#RL000001"), "throttled"),
        ("452 4.1.0 192.0.2.1 http://postmaster.comcast.net/smtp-error-codes.php#RL000003",
         "throttled"),
        (("554 resimta-po-11v.sys.comcast.net 192.0.2.1 found on one or more DNSBLs, see "
         "http://postmaster.comcast.net/smtp-error-codes.php#BL000010"), "blocked"),
        # GMX and web.de: https://postmaster.gmx.net/en/error-messages; T-Online
        ("450 Rate limit reached. Please try again later", "throttled"),
        ("550 <joe@gmx.de>: Requested action not taken: mailbox unavailable", "user unknown"),
        (("554 IP=192.0.2.1 - A problem occurred. (Ask your postmaster for help or to contact "
         "tosa@rx.t-online.de to clarify.) (BL)"), "blocked"),
        # Orange: numbers of Sisimai, Rhost/FrancePTT
        ("421 mwinf5c20 ME Trop de connexions, veuillez verifier. OFR004_104 [104]", "throttled"),
        ("550 5.1.1 Adresse d au moins un destinataire invalide. OFR_416 [416]", "user unknown"),
        # QQ: https://smtp.codes/qq; mail.ru
        ("550 Sender frequency limited", "throttled"),
        ("550 Mailbox not found. http://service.exmail.qq.com/cgi-bin/help?id=2", "user unknown"),
        ("550 Mail content denied", "spam content"),
        ("550 Message was not accepted -- invalid mailbox.  Local mailbox is unavailable",
         "user unknown"),
        # Mimecast, Proofpoint, Barracuda, Spamhaus
        ("451 Internal resources are temporarily unavailable", "greylisted"),
        ("550 csi.mimecast.org Poor Reputation Sender", "blocked"),
        ("554 Blocked - see https://support.proofpoint.com/dnsbl-lookup.cgi?ip=1", "blocked"),
        ("550 permanent failure for one or more recipients (joe@b.example:blocked)", "blocked"),
        ("550 https://www.spamhaus.org/query/ip/192.0.2.1", "blocked"),
        ("554 5.7.1 Service unavailable; client [192.0.2.1] blocked using bl.spamcop.net",
         "blocked"),
        ("421 4.7.1 Client host [192.0.2.1] blocked using grey.rbl - Greylisting in action",
         "greylisted"),
    ],
)  # fmt: skip
def test_well_known_replies(text, expected) -> None:
    assert reason(text) == expected


# The server's code says more than a word, unless it is a code that servers misuse.
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("550 5.1.1 mailbox full of spam, no such quota", "user unknown"),
        ("452 4.2.2 too many messages in the mailbox", "mailbox full"),
        ("452 4.3.2 Connection rate limit exceeded", "throttled"),
        ("421 4.4.2 Message submission rate for this client has exceeded the limit", "throttled"),
        ("554 5.7.1 <joe@b.example>: Relay access denied", "protocol error"),
        ("550 5.2.1 mailbox disabled", "account disabled"),
        ("421 4.2.1 mailbox busy", "try again later"),
        (
            "delivery temporarily suspended: connect to mx.b.example[192.0.2.1]:25: refused",
            "unreachable",
        ),
        (
            (
                "450 4.1.1 <joe@b.example>: Recipient address rejected: unverified address: "
                "Address verification in progress"
            ),
            "try again later",
        ),
        (
            "421 4.3.2 The maximum number of concurrent server connections has exceeded a limit",
            "throttled",
        ),
        ("unable to look up host mx.b.example: Name or service not known", "unreachable"),
    ],
)
def test_the_enhanced_code_comes_before_words(text, expected) -> None:
    assert reason(text) == expected


def test_a_code_without_meaning_gives_way_to_that_of_the_reply() -> None:
    # Postfix and PowerMTA write 5.0.0 where they have none of their own.
    reply = read_reply(b"smtp;550 5.1.1 gone", packed(5, 0, 0))
    assert (REASONS[reply.reason], reply.enhanced) == ("user unknown", packed(5, 1, 1))


def test_no_number_of_an_address_or_a_port_is_a_code() -> None:
    reply = read_reply(b"connect to mx[192.0.2.250]:25: Connection timed out")
    assert (reply.code, reply.enhanced) == (0, 0)


# PowerMTA 5.0 User's Guide, "bounce-category-patterns"; KumoMTA, bounce-classify's
# PreDefinedBounceClass; Momentum, "Bounce Classification Codes".
@pytest.mark.parametrize(
    ("category", "expected"),
    [
        ("bad-mailbox", "user unknown"),
        ("inactive-mailbox", "account disabled"),
        ("quota-issues", "mailbox full"),
        ("bad-domain", "invalid domain"),
        ("no-answer-from-host", "unreachable"),
        ("spam-related", "spam content"),
        ("policy-related", "blocked"),
        ("InvalidRecipient", "user unknown"),
        ("SpamBlock", "blocked"),
        ("AuthenticationFailed", "authentication"),
        ("22", "mailbox full"),
        ("51", "blocked"),
        ("Uncategorized", "other"),
        ("our own name", "other"),
        ("", "other"),
    ],
)
def test_the_mtas_own_category_decides_where_the_reply_is_not_clear(category, expected) -> None:
    assert reason("554 no words that say anything", category=category) == expected
    if named(category):
        assert reason("552 5.2.1 something else, blocked", category=category) == expected
        for_a_time = reason("452 4.2.1 something else, blocked", category=category)
        assert for_a_time == ("blocked" if expected in GONE else expected)


# PowerMTA's patterns as shipped take a category from a word: "limit exceeded" is *quota-issues*,
# "blocked" and "spam" are *spam-related*.
@pytest.mark.parametrize(
    ("text", "category", "expected"),
    [
        ("421 4.7.0 try again later", "bad-mailbox", "try again later"),
        ("421 4.7.0 try again later", "other", "try again later"),
        ("450 4.2.0 greylisted", "inactive-mailbox", "greylisted"),
        ("421 4.7.28 rate limit exceeded", "quota-issues", "throttled"),
        ("550 5.7.1 blocked using zen.spamhaus.org", "spam-related", "blocked"),
        ("421 4.7.0 [TSS04] temporarily deferred", "spam-related", "throttled"),
        ("550 5.1.1 no such user", "policy-related", "user unknown"),
        # Amazon SES.
        ("421 4.7.0 try again later", "General", "try again later"),
        ("421 4.7.0 try again later", "NoEmail", "try again later"),
        ("550 5.7.26 unauthenticated", "ContentRejected", "authentication"),
        # What is not clear is decided by the category, as far as it may be of the reply.
        ("421 4.7.0 try again later", "quota-issues", "mailbox full"),
        ("421 4.7.0 try again later", "MailboxFull", "mailbox full"),
        ("450 4.0.0 no words that say anything", "bad-mailbox", "user unknown"),
        ("no words that say anything", "bad-mailbox", "user unknown"),
    ],
)
def test_a_clear_reply_outweighs_the_category(text, category, expected) -> None:
    assert reason(text, category=category) == expected


def test_a_refusal_for_a_time_is_no_unknown_user_in_a_log(tmp_path) -> None:
    row = "t,2026-11-26 09:{0:02}:00+0000,2026-11-26 08:59:00+0000,u{0}@a.example,4.7.0,{1},{2}"
    rows = [
        row.format(n, "smtp;421 4.7.0 try again later", ("bad-mailbox", "other")[n % 2])
        for n in range(40)
    ]
    log = tmp_path / "acct.csv"
    log.write_text(
        "type,timeLogged,timeQueued,rcpt,dsnStatus,dsnDiag,bounceCat\n" + "\n".join(rows)
    )
    (provider,) = calibrate([log]).providers
    assert provider.transient_reasons == {"try again later": 40}


def test_a_broad_category_leaves_the_choice_to_the_reply() -> None:
    text = "421 4.7.0 [TSS04] Messages temporarily deferred"
    assert broad("policy-related") == "blocked"
    assert reason(text, category="policy-related") == "throttled"


def test_the_category_of_each_log_is_read(tmp_path) -> None:
    ok = "1788256800@A{0}/00@b@c@D@b.example@900@g@b@0@0.5@192.0.2.1"
    out = "1788256800@B{0}/00@b@c@B@joe@b.example@a@c.example@g@b@8@22@900@192.0.2.1@554 no"
    log = tmp_path / "bouncelog.ec"
    log.write_text("\n".join([ok.format(n) for n in range(30)] + [out.format(n) for n in range(9)]))
    assert hard_of(calibrate([log])) == {"mailbox full"}
    record = (
        '{{"type":"Bounce","id":"{0}","recipient":"u{0}@b.example","queue":"b.example",'
        '"site":"s->mx.b.example@smtp_client","timestamp":1788256800,"created":1788256790,'
        '"num_attempts":1,"bounce_classification":"InactiveMailbox",'
        '"response":{{"code":554,"enhanced_code":null,"content":"no"}}}}'
    )
    log = tmp_path / "kumo.jsonl"
    log.write_text("\n".join(record.format(number) for number in range(9)))
    assert hard_of(calibrate([log])) == {"account disabled"}


MARKS = [words for table in _TABLES for kind in table._of_kind for words, _ in kind]


@given(
    st.lists(st.sampled_from(MARKS) | st.from_regex(r"[a-z0-9-]{0,9}", fullmatch=True), max_size=6),
    st.sampled_from(range(6)),
    st.sampled_from([0, 1001, 2002, 4002, 7001, 7508]),
)
def test_words_that_no_mark_has_decide_nothing(words, kind, code) -> None:
    """A sign in their place gives the same reason: so a reply with a new number is known."""
    said = f" {' '.join(filter(None, words))} "
    look_up = _reason.__wrapped__
    assert look_up(_telling(said), code, kind) == look_up(said, code, kind)
    assert len(_telling(said).split(" ")) == len(said.split(" "))


def test_replies_that_differ_by_a_number_are_looked_up_once() -> None:
    before = _reason.cache_info()
    for number in range(100):
        assert (
            reason(f"452 4.2.2 the account is over quota a1si{number}fb.7 - gsmtp")
            == "mailbox full"
        )
    after = _reason.cache_info()
    assert after.misses - before.misses <= 1


def test_the_tables_of_words_name_reasons_that_exist() -> None:
    named_ones = {reason for table in _TABLES for _, reason in table._of_kind[0]}
    assert named_ones <= set(REASONS)

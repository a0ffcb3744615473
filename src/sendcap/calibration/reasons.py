"""The names of the reasons of failed attempts, and what an MTA or a sending service calls them.

Its own category of bounces decides where the reply is not clear, if it says enough. One such as
``policy-related`` or ``TransientFailure`` only decides where the reply says nothing. The order is
in `sendcap.calibration.outcomes`.
"""

from typing import Final

USER_UNKNOWN: Final = "user unknown"
ACCOUNT_DISABLED: Final = "account disabled"
MAILBOX_FULL: Final = "mailbox full"
INVALID_DOMAIN: Final = "invalid domain"
INVALID_SENDER: Final = "invalid sender"
GREYLISTED: Final = "greylisted"
THROTTLED: Final = "throttled"
BLOCKED: Final = "blocked"
AUTHENTICATION: Final = "authentication"
SPAM_CONTENT: Final = "spam content"
TOO_LARGE: Final = "message too large"
PROTOCOL_ERROR: Final = "protocol error"
UNREACHABLE: Final = "unreachable"
TRY_LATER: Final = "try again later"
OTHER: Final = "other"

REASONS: Final = (
    "",
    *(GREYLISTED, THROTTLED, MAILBOX_FULL, BLOCKED, AUTHENTICATION, USER_UNKNOWN, INVALID_DOMAIN),
    *(ACCOUNT_DISABLED, INVALID_SENDER, TOO_LARGE, UNREACHABLE, TRY_LATER, SPAM_CONTENT),
    *(PROTOCOL_ERROR, OTHER),
)
"""Every reason of a scenario, by number."""
NUMBERS: Final = {name: number for number, name in enumerate(REASONS)}

GONE: Final = frozenset({USER_UNKNOWN, ACCOUNT_DISABLED, INVALID_DOMAIN})
"""Reasons of addresses that no reply for a time concerns."""

_NAMED: Final = {
    # PowerMTA 5.0 User's Guide, "bounce-category-patterns", and the column bounceCat.
    "badmailbox": USER_UNKNOWN,
    "baddomain": INVALID_DOMAIN,
    "inactivemailbox": ACCOUNT_DISABLED,
    "quotaissues": MAILBOX_FULL,
    "invalidsender": INVALID_SENDER,
    "noanswerfromhost": UNREACHABLE,
    "badconnection": UNREACHABLE,
    "routingerrors": UNREACHABLE,
    "spamrelated": SPAM_CONTENT,
    "contentrelated": SPAM_CONTENT,
    "virusrelated": SPAM_CONTENT,
    "relayingissues": PROTOCOL_ERROR,
    "protocolerrors": PROTOCOL_ERROR,
    # KumoMTA, crates/bounce-classify/src/lib.rs: PreDefinedBounceClass, beside the names above.
    "invalidrecipient": USER_UNKNOWN,
    "dnsfailure": UNREACHABLE,
    "spamblock": BLOCKED,
    "spamcontent": SPAM_CONTENT,
    "prohibitedattachment": SPAM_CONTENT,
    "relaydenied": PROTOCOL_ERROR,
    "authenticationfailed": AUTHENTICATION,
    "toomanyrecipients": THROTTLED,
    # Momentum and SparkPost, "Bounce Classification Codes"; Adobe Journey Optimizer has the same.
    "10": USER_UNKNOWN,
    "21": UNREACHABLE,
    "22": MAILBOX_FULL,
    "23": TOO_LARGE,
    "24": UNREACHABLE,
    "30": USER_UNKNOWN,
    "50": BLOCKED,
    "51": BLOCKED,
    "52": SPAM_CONTENT,
    "53": SPAM_CONTENT,
    "54": PROTOCOL_ERROR,
    # Amazon SES, "Amazon SNS notification contents": bounceSubType and delayType.
    "noemail": USER_UNKNOWN,
    "onaccountsuppressionlist": USER_UNKNOWN,
    "mailboxfull": MAILBOX_FULL,
    "messagetoolarge": TOO_LARGE,
    "contentrejected": SPAM_CONTENT,
    "attachmentrejected": SPAM_CONTENT,
    "spamdetected": SPAM_CONTENT,
    "recipientservererror": UNREACHABLE,
    "ipfailure": BLOCKED,
    # Twilio SendGrid, "Event Webhook Reference": bounce_classification.
    "invalidaddress": USER_UNKNOWN,
    "reputation": BLOCKED,
    "frequencyorvolumetoohigh": THROTTLED,
    # Mailgun, "Events": reason of a failed event.
    "suppressbounce": USER_UNKNOWN,
    "espblock": BLOCKED,
    "greylisted": GREYLISTED,
}
"""Categories that say enough, in small letters without signs between."""

_BROAD: Final = {
    "policyrelated": BLOCKED,
    "badconfiguration": PROTOCOL_ERROR,
    "transientfailure": TRY_LATER,
    "mailboxunavailable": MAILBOX_FULL,
    "technical": PROTOCOL_ERROR,
    "technicalfailure": PROTOCOL_ERROR,
    "content": SPAM_CONTENT,
    "transientcommunicationfailure": UNREACHABLE,
    "internalfailure": TRY_LATER,
    "20": TRY_LATER,
    "40": BLOCKED,
    "70": TRY_LATER,
}
"""Categories of several reasons: the reply decides between them, as far as it says anything."""

_SIGNS: Final = str.maketrans("", "", " -_/().,")


def named(category: str) -> str:
    """Return the reason that a category names; empty if it says too little.

    >>> named("bad-mailbox"), named("InvalidRecipient"), named("policy-related")
    ('user unknown', 'user unknown', '')
    """
    return _NAMED.get(_key(category), "")


def broad(category: str) -> str:
    """Return the reason of a category that stands for several; empty for all others."""
    return _BROAD.get(_key(category), "")


def is_expiry(category: str) -> bool:
    """Tell whether the MTA itself gave a message up, because its time was over."""
    return _key(category) == "messageexpired"


def _key(category: str) -> str:
    return category.translate(_SIGNS).lower()

"""What an MTA or a sending service itself says of a failed attempt: its category of bounces.

Its category comes before any reading of the reply, if it says enough. One such as
``policy-related`` or ``TransientFailure`` only decides where the reply says nothing.
"""

from typing import Final

from sendcap.calibration.reasons import (
    ACCOUNT_DISABLED,
    AUTHENTICATION,
    BLOCKED,
    INVALID_DOMAIN,
    INVALID_SENDER,
    MAILBOX_FULL,
    PROTOCOL_ERROR,
    SPAM_CONTENT,
    THROTTLED,
    TOO_LARGE,
    TRY_LATER,
    UNREACHABLE,
    USER_UNKNOWN,
)

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
    "greylisted": "greylisted",
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

"""What an MTA or a sending service itself says of a failed attempt: its category of bounces.

Its category comes before any reading of the reply, if it says enough. One such as
``policy-related`` or ``TransientFailure`` only decides where the reply says nothing.
"""

from typing import Final

from sendcap.calibration import reasons

_NAMED: Final = {
    # PowerMTA 5.0 User's Guide, "bounce-category-patterns", and the column bounceCat.
    "badmailbox": reasons.USER_UNKNOWN,
    "baddomain": reasons.INVALID_DOMAIN,
    "inactivemailbox": reasons.ACCOUNT_DISABLED,
    "quotaissues": reasons.MAILBOX_FULL,
    "invalidsender": reasons.INVALID_SENDER,
    "noanswerfromhost": reasons.UNREACHABLE,
    "badconnection": reasons.UNREACHABLE,
    "routingerrors": reasons.UNREACHABLE,
    "spamrelated": reasons.SPAM_CONTENT,
    "contentrelated": reasons.SPAM_CONTENT,
    "virusrelated": reasons.SPAM_CONTENT,
    "relayingissues": reasons.PROTOCOL_ERROR,
    "protocolerrors": reasons.PROTOCOL_ERROR,
    # KumoMTA, crates/bounce-classify/src/lib.rs: PreDefinedBounceClass, beside the names above.
    "invalidrecipient": reasons.USER_UNKNOWN,
    "dnsfailure": reasons.UNREACHABLE,
    "spamblock": reasons.BLOCKED,
    "spamcontent": reasons.SPAM_CONTENT,
    "prohibitedattachment": reasons.SPAM_CONTENT,
    "relaydenied": reasons.PROTOCOL_ERROR,
    "authenticationfailed": reasons.AUTHENTICATION,
    "toomanyrecipients": reasons.THROTTLED,
    # Momentum and SparkPost, "Bounce Classification Codes"; Adobe Journey Optimizer has the same.
    "10": reasons.USER_UNKNOWN,
    "21": reasons.UNREACHABLE,
    "22": reasons.MAILBOX_FULL,
    "23": reasons.TOO_LARGE,
    "24": reasons.UNREACHABLE,
    "30": reasons.USER_UNKNOWN,
    "50": reasons.BLOCKED,
    "51": reasons.BLOCKED,
    "52": reasons.SPAM_CONTENT,
    "53": reasons.SPAM_CONTENT,
    "54": reasons.PROTOCOL_ERROR,
    # Amazon SES, "Amazon SNS notification contents": bounceSubType and delayType.
    "noemail": reasons.USER_UNKNOWN,
    "onaccountsuppressionlist": reasons.USER_UNKNOWN,
    "mailboxfull": reasons.MAILBOX_FULL,
    "messagetoolarge": reasons.TOO_LARGE,
    "contentrejected": reasons.SPAM_CONTENT,
    "attachmentrejected": reasons.SPAM_CONTENT,
    "spamdetected": reasons.SPAM_CONTENT,
    "recipientservererror": reasons.UNREACHABLE,
    "ipfailure": reasons.BLOCKED,
    # Twilio SendGrid, "Event Webhook Reference": bounce_classification.
    "invalidaddress": reasons.USER_UNKNOWN,
    "reputation": reasons.BLOCKED,
    "frequencyorvolumetoohigh": reasons.THROTTLED,
    # Mailgun, "Events": reason of a failed event.
    "suppressbounce": reasons.USER_UNKNOWN,
    "espblock": reasons.BLOCKED,
    "greylisted": "greylisted",
}
"""Categories that say enough, in small letters without signs between."""

_BROAD: Final = {
    "policyrelated": reasons.BLOCKED,
    "badconfiguration": reasons.PROTOCOL_ERROR,
    "transientfailure": reasons.TRY_LATER,
    "mailboxunavailable": reasons.MAILBOX_FULL,
    "technical": reasons.PROTOCOL_ERROR,
    "technicalfailure": reasons.PROTOCOL_ERROR,
    "content": reasons.SPAM_CONTENT,
    "transientcommunicationfailure": reasons.UNREACHABLE,
    "internalfailure": reasons.TRY_LATER,
    "20": reasons.TRY_LATER,
    "40": reasons.BLOCKED,
    "70": reasons.TRY_LATER,
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

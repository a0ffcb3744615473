"""The names of the reasons of failed attempts, as scenarios have them."""

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
"""Every reason, by number."""
NUMBERS: Final = {name: number for number, name in enumerate(REASONS)}

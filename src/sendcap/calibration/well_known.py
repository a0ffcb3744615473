"""Replies of large providers, with their meaning and where the provider, or who met them, says so.

They come before the enhanced code, because here it misleads: Gmail answers 4.2.1, registered for
a disabled account, to somebody who sends too fast. How to read a
table: `sendcap.calibration.wording.Marks`.
"""

from typing import Final

from sendcap.calibration.wording import Marks

_GMAIL: Final = """
4 throttled: receiving mail too quickly | receiving mail at a rate | unusual rate of
4 throttled: peak smtp relay limit exceeded | rate limited | server busy try again later
5 throttled: receiving mail too quickly | receiving mail at a rate | unusual rate of unsolicited
5 throttled: daily user sending limit exceeded | daily sending quota exceeded
0 mailbox full: inbox is out of storage space
0 authentication: authenticate with either spf or dkim | authenticate with spf
0 authentication: authenticate their email with spf | authenticate their email with dkim
0 authentication: authenticate with dkim | mail is unauthenticated | aligned with either the
0 authentication: unauthenticated email from
0 blocked: very low reputation of the sending
5 user unknown: email account that you tried to reach does not exist
5 account disabled: email account that you tried to reach is disabled
5 account disabled: email account that you tried to reach is inactive
5 message too large: exceeded googles message size limits | exceeds googles message size limit
"""
"""Google, "Gmail SMTP errors and codes": https://support.google.com/a/answer/3726730."""

_MICROSOFT: Final = """
4 throttled: temporarily rate limited | server busy please try again later
4 throttled: exceeded the maximum number of connections | exceeded the connection limit
4 throttled: recipient thread limit exceeded | message submission rate for this client
4 throttled: rp-001 | rp-002 | rp-003 | s31* | s77* | limits for how many messages
5 throttled: message receive limit | rp-001 | rp-002 | rp-003 | exceeded permitted limits within
5 throttled: the recipient has exceeded their limit for
5 user unknown: recipient address rejected access denied | exrecipnotfound | recipientnotfound
5 user unknown: recipient not found | mailbox unavailable s2017062302 | hosted tenant which has no
5 blocked: on our block list | banned sending ip | banned sender | banned send* | dy-001 | ou-001
5 blocked: sc-001 | sc-002 | sc-003 | sc-004 | blocked for policy reasons
5 spam content: dy-002 | ou-002 | content filter agent quarantined
5 account disabled: mailbox cannot be accessed
5 authentication: does not pass dmarc verification | required authentication level
5 invalid domain: nonexistentdomain | dns domain does not exist
"""
"""Microsoft, "Email non-delivery reports in Exchange Online" (NDR codes 4.7.5xx, 5.7.6xx, 5.2.121
…): https://learn.microsoft.com/exchange/mail-flow-best-practices; for outlook.com https://sendersupport.olc.protection.outlook.com/pm/troubleshooting.aspx."""

_YAHOO: Final = """
4 greylisted: gl01
4 try again later: unverified address address verification
4 throttled: tss01 | tss02 | tss03 | tss04 | tss05 | tss06 | ts01 | ts02 | ts03 | ts04 | ipts04
4 throttled: temporarily deferred due to | permanently deferred | message temporarily deferred
4 throttled: all messages from will be permanently deferred | max message per connection reached
4 throttled: user is receiving mail too quickly | rly b1 | rly b2 | dyn t1 | dyn t2 | ipts05
5 blocked: tss07 | tss09 | tss11 | bl21 | bl23 | not accepted for policy reasons
5 blocked: rtr bb | rtr du | rtr sc | rtr bl | con b1
5 user unknown: this user doesnt have a | delivery error dd requested mail action aborted mailbox
5 account disabled: this mailbox is disabled | account has been disabled or discontinued
"""
"""Yahoo and AOL, "SMTP error codes": https://senders.yahooinc.com/smtp-error-codes; the codes of
AOL's own servers: https://postmaster.aol.com/error-codes."""

_APPLE: Final = """
4 throttled: deferred due to excessive volume
4 try again later: service unavailable - try again later
5 blocked: rejected due to local policy | not accepting connections from
5 account disabled: inactive email address
5 user unknown: unknown or illegal alias | user lookup success but no user record found
5 user unknown: recipient no longer on server
5 spam content: message content rejected due to spam
"""
"""Apple, "Postmaster information for iCloud Mail": https://support.apple.com/102322; the replies
as senders met them: https://smtp.codes/icloud."""

_COMCAST: Final = """
0 throttled: rl0* | rl1* | throttled - try again later | throttled try again later
0 throttled: too many sessions opened
5 blocked: bl0* | bl1* | es0* | found on one or more dnsbls
5 user unknown: not our customer
5 account disabled: account closed please remove | account not available
"""
"""Comcast, "Understand email error messages and their codes":
https://postmaster.comcast.net/smtp-error-codes.php."""

_GERMAN: Final = """
0 throttled: rate limit reached | administrative reject
4 blocked: reject due to policy violations
5 blocked: ip address is block listed | ip address is black listed | a problem occurred ask your
5 blocked: reject due to policy restrictions
5 authentication: reject due to spf policy | reject due to dmarc policy
5 mailbox full: exceeded storage allocation
5 user unknown: requested action not taken mailbox unavailable
"""
"""GMX, web.de and mail.com, "Error messages": https://postmaster.gmx.net/en/error-messages;
T-Online: https://postmaster.t-online.de, its replies as in ZoneMTA, ``config/bounces.txt``."""

_FRENCH: Final = """
0 throttled: trop de connexions | too many connections slow down | ofr 104 | ofr004 104
0 user unknown: adresse dau moins un destinataire invalide | ofr 416 | ofr003 416
0 mailbox full: ofr 417 | mailbox full ofr*
0 account disabled: ofr 420 | ofr 426
0 blocked: ofr 101 | ofr 102 | ofr 103 | ofr 999
5 spam content: ofr 506 | ouk 513
5 blocked: service refuse | mail rejete
4 try again later: veuillez essayer plus tard | service refused please try later
5 authentication: spf dns de votre nom de domaine
"""
"""Orange, Wanadoo, La Poste: the numbers behind OFR, OUK, LPN, as in Sisimai,
``lib/Sisimai/Rhost/FrancePTT.pm``."""

_RUSSIAN_AND_CHINESE: Final = """
0 throttled: frequency limited | ratelimit exceeded | too many messages from your ip
5 throttled: mailbox unavailable or access denied | receivingrateperm | receivingrate
4 throttled: mi sfq | mi dmc | rp qrc | rp ccl
5 user unknown: message was not accepted - invalid mailbox | not accepted invalid mailbox
5 spam content: dt spm | mail content denied | suspected spam sender | spam message rejected
5 blocked: mail is rejected by recipients
5 account disabled: overquotaperm | disableduser
4 mailbox full: overquotatemp
"""
"""QQ: https://smtp.codes/qq, which tells that "mailbox unavailable or access denied" is for a
recipient who gets too much at a time; 163.com (MI:SFQ …):
http://help.163.com/09/1224/17/5RAJ4LMH00753VB8.html; mail.ru and OverQuotaPerm: KumoMTA,
``assets/community/bounces.toml``."""

_GATEWAYS: Final = """
4 greylisted: internal resources are temporarily unavailable
4 greylisted: internal resource temporarily unavailable
4 greylisted: internal resource is temporarily unavailable
4 blocked: ip temporarily blacklisted | sender address blocked
4 throttled: account service is temporarily unavailable | unable to process connection at this
5 blocked: poor reputation sender | envelope blocked | local ct ip reputation
5 blocked: anti-spoofing policy | administrative prohibition | rejected by header-based
5 user unknown: invalid recipient
5 authentication: dmarc sender invalid | spf sender invalid | dkim sender invalid
0 blocked: blocked - see blocklist | blocked see blocklist | permanent failure for one or more
0 blocked: poor reputation of a domain used | sending mtas poor reputation
0 blocked: your access to submit messages | blocked using | listed at blocklist | blocklist
"""
"""Mimecast: https://mimecastsupport.zendesk.com/hc/en-us/articles/34000709564691; Proofpoint and
Apple: https://support.proofpoint.com/dnsbl-lookup.cgi; Barracuda, Cisco, Spamhaus and other lists
as in ZoneMTA, ``config/bounces.txt``."""

_ANYBODY: Final = """
4 greylisted: greylist* | graylist* | grey-list* | gray-list* | grey list* | gray list*
4 greylisted: graymilter | postgrey | sqlgrey | milter-greylist
"""
"""Greylisting says so: https://www.rfc-editor.org/rfc/rfc6647."""

WELL_KNOWN: Final = Marks(
    *(_ANYBODY, _GMAIL, _MICROSOFT, _YAHOO, _APPLE, _COMCAST, _GERMAN, _FRENCH),
    *(_RUSSIAN_AND_CHINESE, _GATEWAYS),
)
"""All of them."""

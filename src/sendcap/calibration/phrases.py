"""Words that servers everywhere use, in several languages, and the reasons that they mean.

Accents are gone before (`sendcap.calibration.wording`). Sources: Postfix, ``src/smtp`` and
``src/smtpd``; Exim, ``src/src``; Sendmail's and qmail's own replies; KumoMTA,
``assets/community/bounces.toml``; ZoneMTA, ``config/bounces.txt``; Sisimai, ``lib/Sisimai/Reason``.
"""

from typing import Final

from sendcap.calibration.marks import Marks
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

TELLING: Final = Marks(
    f"""
0 {THROTTLED}: rate limit* | rate-limit* | ratelimit* | throttl* | unusual rate | rate exceeded
0 {THROTTLED}: too many connections | too many concurrent | too many messages | too many sessions
0 {THROTTLED}: too many simultaneous | too many smtp | too many mails | too many emails
0 {THROTTLED}: exceeded the rate | sending rate | sending too fast | too quickly | too fast
0 {THROTTLED}: connection limit* | connections limit* | connection rate | message rate
0 {THROTTLED}: maximum number of connections | maximum connections | max connections
0 {THROTTLED}: concurrent server connections | concurrent connections | excessive volume
0 {THROTTLED}: unexpected volume | volume limit*
0 {THROTTLED}: messages per hour | messages per minute | hourly limit | per hour allowed
0 {THROTTLED}: temporarily deferred due to | slow down | more slowly | frequency limit*
0 {THROTTLED}: too much mail | exceeded the configured limit
0 {THROTTLED}: zu viele verbindungen | zu viele nachrichten | zu viele mails | trop de connexions
0 {THROTTLED}: trop de messages | demasiadas conexiones | demasiados mensajes
0 {THROTTLED}: troppe connessioni | muitas conexoes | te veel verbindingen | zbyt wiele polaczen
0 {MAILBOX_FULL}: mailbox full | mailbox is full | mailbox has exceeded | mailbox size limit
0 {MAILBOX_FULL}: quota | overquota | over-quota | inbox is full | inbox full | account is full
0 {MAILBOX_FULL}: out of storage | storage allocation | mailbox limit | mail box full
0 {MAILBOX_FULL}: out of disk quota | not enough space in | insufficient mailbox storage
0 {MAILBOX_FULL}: postfach voll | postfach ist voll | postfach uberfullt | mailbox voll
0 {MAILBOX_FULL}: postfach ist uberfullt | speicherplatz | kontingent | mailbox vol
0 {MAILBOX_FULL}: boite pleine | boite aux lettres pleine | boite de reception pleine | bal pleine
0 {MAILBOX_FULL}: buzon lleno | buzon esta lleno | casilla llena | cuota | casella piena
0 {MAILBOX_FULL}: caixa cheia | caixa postal cheia | caixa de correio cheia | skrzynka pelna
0 {MAILBOX_FULL}: ящик переполнен
0 {BLOCKED}: spamhaus | blocklist* | blacklist* | blocklisted | block list* | black list* | rbl
0 {BLOCKED}: block-list* | black-list* | dnsbl* | reputation | realtime block
0 {AUTHENTICATION}: dmarc* | dkim | spf | unauthenticated | sender policy framework
0 {USER_UNKNOWN}: user unknown
0 {UNREACHABLE}: delivery temporarily suspended | connect to | unable to look up
0 {TRY_LATER}: address verification in progress
5 {INVALID_DOMAIN}: domain not found | domain name not found | host not found
0 {INVALID_DOMAIN}: null mx
"""
)
"""Words that outweigh a code that servers misuse."""

OTHERS: Final = Marks(
    f"""
0 {PROTOCOL_ERROR}: relay access denied | relaying denied | relay denied | unable to relay
0 {PROTOCOL_ERROR}: relay not permitted | not permitted to relay | allowed to relay | relaying not
0 {PROTOCOL_ERROR}: not relay | relaying to | list of allowed rcpthosts | relay is not
0 {INVALID_SENDER}: sender domain | sender address rejected | sender rejected | invalid sender
0 {INVALID_SENDER}: bad sender | sender denied | sender verify failed | domain of sender address
0 {INVALID_SENDER}: has no a aaaa or mx | domain may not exist
0 {AUTHENTICATION}: authentication required | requires authentication | smtp authentication
0 {USER_UNKNOWN}: unknown user | no such user | no such recipient | no such mailbox | no mailbox
0 {USER_UNKNOWN}: no such address | no such id | no such person | no such account | no mail-box
0 {USER_UNKNOWN}: recipient does not exist | address does not exist | user does not exist
0 {USER_UNKNOWN}: mailbox does not exist | account does not exist | user doesnt exist
0 {USER_UNKNOWN}: mailbox doesnt exist | does not exist here | user not found | recipient not found
0 {USER_UNKNOWN}: mailbox not found | address not found | account not found | mailbox unavailable
0 {USER_UNKNOWN}: invalid recipient | invalid mailbox | invalid address | invalid user
0 {USER_UNKNOWN}: address invalid | address unknown | address rejected | recipient rejected
0 {USER_UNKNOWN}: recipient address rejected | unknown recipient | recipient unknown
0 {USER_UNKNOWN}: recipient unrecognized | unknown address | unknown local* | unrouteable address
0 {USER_UNKNOWN}: unroutable address | undeliverable address | not a valid user
0 {USER_UNKNOWN}: not a known user | not known here | has no account | no account | not our customer
0 {USER_UNKNOWN}: not listed in | bad destination mailbox | unknown mailbox | mailbox unknown
0 {USER_UNKNOWN}: user is unknown | recipient is unknown | cannot deliver mail for
0 {USER_UNKNOWN}: mailbox name not allowed | recipient is not allowed | does not exist
0 {USER_UNKNOWN}: benutzer unbekannt | unbekannter benutzer | empfanger unbekannt
0 {USER_UNKNOWN}: unbekannter empfanger | empfanger existiert nicht | adresse unbekannt
0 {USER_UNKNOWN}: postfach existiert nicht | utilisateur inconnu | destinataire inconnu
0 {USER_UNKNOWN}: adresse inconnue | boite inexistante | destinataire invalide
0 {USER_UNKNOWN}: usuario desconocido | usuario no existe | destinatario desconocido
0 {USER_UNKNOWN}: el buzon no existe | utente sconosciuto | utente inesistente
0 {USER_UNKNOWN}: destinatario sconosciuto | usuario desconhecido | usuario inexistente
0 {USER_UNKNOWN}: destinatario desconhecido | onbekende gebruiker | gebruiker onbekend
0 {USER_UNKNOWN}: nieznany uzytkownik | uzytkownik nie istnieje | пользователь не наиден
0 {USER_UNKNOWN}: нет такого пользователя | not a valid mailbox
0 {ACCOUNT_DISABLED}: disabled | inactive | deactivated | not active | not activated | suspended
0 {ACCOUNT_DISABLED}: account closed | account expired | expired account | locked | discontinued
0 {ACCOUNT_DISABLED}: no longer valid | no longer active | no longer in use | deaktiviert | gesperrt
0 {ACCOUNT_DISABLED}: desactive | desactivado | desativado | disattivato
0 {INVALID_DOMAIN}: name service error | no such domain | domain does not exist | nxdomain
0 {INVALID_DOMAIN}: no mail hosts for domain | no mx or a | no mx for | invalid domain
0 {INVALID_DOMAIN}: unknown host | non-existent hosts | indicated no smtp service
0 {INVALID_DOMAIN}: address lookups failed permanently
0 {TOO_LARGE}: too large | too big | size limit | maximum size | message size | exceeds size
0 {TOO_LARGE}: zu gross | trop volumineux | demasiado grande
0 {SPAM_CONTENT}: spam | phish* | virus | malware | unsolicited | content reject* | junk | junkmail
0 {SPAM_CONTENT}: prohibited content | spamtext | content policy | message content | bulk mail
0 {BLOCKED}: blocked | denied | not allowed | policy | policies | prohibited | banned | refused by
0 {BLOCKED}: is listed on | is listed at | was found on | reverse dns | ptr record | rdns
0 {BLOCKED}: not accepted | abgelehnt | not authorized | not in allowed-senders list
5 {BLOCKED}: rejected
0 {UNREACHABLE}: timed out | timeout | connection refused | lost connection | no route to host
0 {UNREACHABLE}: network is unreachable | name or service not known | certificate
0 {UNREACHABLE}: connection reset | connection dropped | tls | host is down | failed to connect
0 {UNREACHABLE}: could be reached | connection closed | connection lost | loops back | broken pipe
0 {UNREACHABLE}: have been failing for a long time | retry timeout exceeded | connect failed
0 {UNREACHABLE}: host lookup did not complete | host lookup failed | closed the connection
0 {UNREACHABLE}: closed connection in response | remote host closed connection
0 {UNREACHABLE}: unexpected connection | unreachable | host not found | name not found
0 {PROTOCOL_ERROR}: syntax | protocol | command | relaying | bad sequence | not compliant
0 {TRY_LATER}: try again | try later | later | temporar* | unavailable | busy | internal error
0 {TRY_LATER}: resources | spater | plus tard | mas tarde | piu tardi | mais tarde | недоступен
"""
)
"""Words that decide where the code does not."""

"""Words that servers everywhere use, in several languages, and the reasons that they mean.

Accents are gone before (`sendcap.calibration.wording`). Sources: Postfix, ``src/smtp`` and
``src/smtpd``; Exim, ``src/src``; Sendmail's and qmail's own replies; KumoMTA,
``assets/community/bounces.toml``; ZoneMTA, ``config/bounces.txt``; Sisimai, ``lib/Sisimai/Reason``.
"""

from typing import Final

from sendcap.calibration.wording import Marks

TELLING: Final = Marks(
    """
0 throttled: rate limit* | rate-limit* | ratelimit* | throttl* | unusual rate | rate exceeded
0 throttled: too many connections | too many concurrent | too many messages | too many sessions
0 throttled: too many simultaneous | too many smtp | too many mails | too many emails
0 throttled: exceeded the rate | sending rate | sending too fast | too quickly | too fast
0 throttled: connection limit* | connections limit* | connection rate | message rate
0 throttled: maximum number of connections | maximum connections | max connections
0 throttled: concurrent server connections | concurrent connections | excessive volume
0 throttled: unexpected volume | volume limit*
0 throttled: messages per hour | messages per minute | hourly limit | per hour allowed
0 throttled: temporarily deferred due to | slow down | more slowly | frequency limit*
0 throttled: too much mail | exceeded the configured limit
0 throttled: zu viele verbindungen | zu viele nachrichten | zu viele mails | trop de connexions
0 throttled: trop de messages | demasiadas conexiones | demasiados mensajes
0 throttled: troppe connessioni | muitas conexoes | te veel verbindingen | zbyt wiele polaczen
0 mailbox full: mailbox full | mailbox is full | mailbox has exceeded | mailbox size limit
0 mailbox full: quota | overquota | over-quota | inbox is full | inbox full | account is full
0 mailbox full: out of storage | storage allocation | mailbox limit | mail box full
0 mailbox full: out of disk quota | not enough space in | insufficient mailbox storage
0 mailbox full: postfach voll | postfach ist voll | postfach uberfullt | mailbox voll
0 mailbox full: postfach ist uberfullt | speicherplatz | kontingent | mailbox vol
0 mailbox full: boite pleine | boite aux lettres pleine | boite de reception pleine | bal pleine
0 mailbox full: buzon lleno | buzon esta lleno | casilla llena | cuota | casella piena
0 mailbox full: caixa cheia | caixa postal cheia | caixa de correio cheia | skrzynka pelna
0 mailbox full: ящик переполнен
0 blocked: spamhaus | blocklist* | blacklist* | blocklisted | block list* | black list* | rbl
0 blocked: block-list* | black-list* | dnsbl* | reputation | realtime block
0 authentication: dmarc* | dkim | spf | unauthenticated | sender policy framework
0 user unknown: user unknown
0 unreachable: delivery temporarily suspended | connect to | unable to look up
0 try again later: address verification in progress
5 invalid domain: domain not found | domain name not found | host not found
0 invalid domain: null mx
"""
)
"""Words that outweigh a code that servers misuse."""

OTHERS: Final = Marks(
    """
0 protocol error: relay access denied | relaying denied | relay denied | unable to relay
0 protocol error: relay not permitted | not permitted to relay | allowed to relay | relaying not
0 protocol error: not relay | relaying to | list of allowed rcpthosts | relay is not
0 invalid sender: sender domain | sender address rejected | sender rejected | invalid sender
0 invalid sender: bad sender | sender denied | sender verify failed | domain of sender address
0 invalid sender: has no a aaaa or mx | domain may not exist
0 authentication: authentication required | requires authentication | smtp authentication
0 user unknown: unknown user | no such user | no such recipient | no such mailbox | no mailbox
0 user unknown: no such address | no such id | no such person | no such account | no mail-box
0 user unknown: recipient does not exist | address does not exist | user does not exist
0 user unknown: mailbox does not exist | account does not exist | user doesnt exist
0 user unknown: mailbox doesnt exist | does not exist here | user not found | recipient not found
0 user unknown: mailbox not found | address not found | account not found | mailbox unavailable
0 user unknown: invalid recipient | invalid mailbox | invalid address | invalid user
0 user unknown: address invalid | address unknown | address rejected | recipient rejected
0 user unknown: recipient address rejected | unknown recipient | recipient unknown
0 user unknown: recipient unrecognized | unknown address | unknown local* | unrouteable address
0 user unknown: unroutable address | undeliverable address | not a valid user
0 user unknown: not a known user | not known here | has no account | no account | not our customer
0 user unknown: not listed in | bad destination mailbox | unknown mailbox | mailbox unknown
0 user unknown: user is unknown | recipient is unknown | cannot deliver mail for
0 user unknown: mailbox name not allowed | recipient is not allowed | does not exist
0 user unknown: benutzer unbekannt | unbekannter benutzer | empfanger unbekannt
0 user unknown: unbekannter empfanger | empfanger existiert nicht | adresse unbekannt
0 user unknown: postfach existiert nicht | utilisateur inconnu | destinataire inconnu
0 user unknown: adresse inconnue | boite inexistante | destinataire invalide
0 user unknown: usuario desconocido | usuario no existe | destinatario desconocido
0 user unknown: el buzon no existe | utente sconosciuto | utente inesistente
0 user unknown: destinatario sconosciuto | usuario desconhecido | usuario inexistente
0 user unknown: destinatario desconhecido | onbekende gebruiker | gebruiker onbekend
0 user unknown: nieznany uzytkownik | uzytkownik nie istnieje | пользователь не наиден
0 user unknown: нет такого пользователя | not a valid mailbox
0 account disabled: disabled | inactive | deactivated | not active | not activated | suspended
0 account disabled: account closed | account expired | expired account | locked | discontinued
0 account disabled: no longer valid | no longer active | no longer in use | deaktiviert | gesperrt
0 account disabled: desactive | desactivado | desativado | disattivato
0 invalid domain: name service error | no such domain | domain does not exist | nxdomain
0 invalid domain: no mail hosts for domain | no mx or a | no mx for | invalid domain
0 invalid domain: unknown host | non-existent hosts | indicated no smtp service
0 invalid domain: address lookups failed permanently
0 message too large: too large | too big | size limit | maximum size | message size | exceeds size
0 message too large: zu gross | trop volumineux | demasiado grande
0 spam content: spam | phish* | virus | malware | unsolicited | content reject* | junk | junkmail
0 spam content: prohibited content | spamtext | content policy | message content | bulk mail
0 blocked: blocked | denied | not allowed | policy | policies | prohibited | banned | refused by
0 blocked: is listed on | is listed at | was found on | reverse dns | ptr record | rdns
0 blocked: not accepted | abgelehnt | not authorized | not in allowed-senders list
5 blocked: rejected
0 unreachable: timed out | timeout | connection refused | lost connection | no route to host
0 unreachable: network is unreachable | name or service not known | certificate
0 unreachable: connection reset | connection dropped | tls | host is down | failed to connect
0 unreachable: could be reached | connection closed | connection lost | loops back | broken pipe
0 unreachable: have been failing for a long time | retry timeout exceeded | connect failed
0 unreachable: host lookup did not complete | host lookup failed | closed the connection
0 unreachable: closed connection in response | remote host closed connection
0 unreachable: unexpected connection | unreachable | host not found | name not found
0 protocol error: syntax | protocol | command | relaying | bad sequence | not compliant
0 try again later: try again | try later | later | temporar* | unavailable | busy | internal error
0 try again later: resources | spater | plus tard | mas tarde | piu tardi | mais tarde | недоступен
"""
)
"""Words that decide where the code does not."""

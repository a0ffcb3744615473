"""The compiled kernel: what happens, one event after the other.

When a message starts depends on when every earlier one finished, so this cannot be written as
operations on whole arrays. It is the one part of sendcap that is compiled (by Numba).

`step` is the loop of a group of queues and reads like the textbook model; `relay` is that of the
relay and the ingress; `spool` couples both. The other modules are what these use: `waiting`,
`taking`, `connections`, `limits`, `outcome`, `retry` and `expiry` are the parts of the model;
`busy`, `backoff` and `ends` hold what comes later, by time; `tally` and `telling` count.

Compiled code allocates nothing: where there is no room, it stops and says so, and the caller makes
room and goes on (`sendcap.model.queue_group`).
"""

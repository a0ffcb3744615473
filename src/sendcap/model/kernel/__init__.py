"""The compiled kernel: first-in-first-out stations, one message after the other.

When a message starts depends on when every earlier one finished, so this recursion cannot be
written as operations on whole arrays. It is the one part of sendcap that is compiled (by Numba).
Nothing is drawn here: the caller passes the draws in, so each function is a recursion on its
arguments alone, and advances the state arrays among them.

`queue.serve` is the frequent case, `reacting.serve_reacting` the general one, in which what an
attempt comes to matters to later ones; `servers` has the relay and the ingress.

Source: J. Kiefer and J. Wolfowitz, "On the theory of queues with many servers", Transactions of the
American Mathematical Society 78 (1955): the recursion on the servers' free times.
"""

"""The simulation model: relay, MTA and feedback as SimPy processes that pass batches.

`sendcap.model.engine` puts the parts together. Each part is a module of its own: `relay`,
`ingress`, `provider_queue`, `recipients`, `backoff`, `expiry`, `feedback`, `engagement`. What
they share stands in `station` (how a part works), `messages` (what they pass), `streams` (where
randomness comes from) and `kernel` (the compiled recursion of the queues).
"""

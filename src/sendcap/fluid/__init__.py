"""The fluid model: the expected course of a scenario, computed as flows and without sampling.

- **Relay, ingress, provider queues** are fluids: first in, first out, new messages and retries
  alike, and each stage as fast as all limits allow (workers and rate; ingress rate; connections,
  throttle of any kind with the burst). Waits and retries are computed in turn until they agree.
  Messages that expire in a queue leave room for others.
- **Attempts**: of a cohort, the hard share bounces, the faulty share bounces softly with the
  probability that the fault still lasts, counted from the finish of the first attempt that was not
  unreachable, and the rest with probability ``transient``. Retries follow the policy's own rule.
- **Outages and tolerance** refuse a share of the attempts that finish in each step of time; below
  the tolerance also by chance, see `sendcap.fluid.refusals.Refusals`.
- **Feedback, opens, clicks**: convolution with the distribution of the latency or delay on the bins
  of the ledger, which are cut into finer steps where a delivery is short. Polling and the rate of
  feedback are exact and a fluid.

The assumptions, and their errors, are those of `sendcap.expected`.
"""

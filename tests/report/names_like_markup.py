"""A scenario in which everything that has a name tries to be more than text."""

from __future__ import annotations

EVIL = "<script>alert('title')</script> & </style> \" $x$"
TEXT = f"""
title = '''{EVIL}'''
seed = 4
start = 2026-11-27T06:00:00-05:00
[[deliveries]]
name = "</script><img src=x onerror=alert(1)>"
messages = 20000
audience = {{ gmail = 0.8, "<b>other</b>" = 0.2 }}
[[deliveries]]
name = "reminder"
messages = 3000
at = "1h30m"
audience = {{ gmail = 1.0 }}
[relay]
batch_time = "20s"
error_rate = 0.001
[providers.gmail]
connections_per_ip = 3
connect_time = "200ms"
transaction_time = "900ms"
async_bounce = 0.01
hard = [{{ reason = "user unknown </script>", share = 0.02 }}]
faults = [{{ reason = "<i>mailbox full</i>", share = 0.03, clears_after = "20h", never = 0.5 }}]
[providers."<b>other</b>"]
connect_time = "200ms"
transaction_time = "400ms"
transient = 0.05
[feedback]
synchronous = "90s"
asynchronous = {{ dist = "exponential", mean = "6h" }}
"""

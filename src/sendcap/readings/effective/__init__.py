"""The settings that take effect at each queue, in words a planner can check.

Numbers come from the functions that the engine and the ceilings use.
"""

from sendcap.readings.effective.queues import Effective as Effective
from sendcap.readings.effective.queues import common_rows as common_rows
from sendcap.readings.effective.queues import effective as effective

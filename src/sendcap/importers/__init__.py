"""Scenarios from the configurations of MTAs: their limits and retries, and a report.

Each importer reads files of one MTA, takes what they do not hold from a base scenario, and gives
an `Imported`: the scenario, the same as a file whose comments tell where each value comes from,
and a report of what was used, what not and why.
"""

from sendcap.importers.exim import import_exim
from sendcap.importers.imported import Imported
from sendcap.importers.kumomta import import_kumomta
from sendcap.importers.postfix import import_postfix
from sendcap.importers.powermta import import_powermta

__all__ = ["Imported", "import_exim", "import_kumomta", "import_postfix", "import_powermta"]

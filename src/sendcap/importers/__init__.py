"""Scenarios from the configurations of MTAs: limits and retries, and a report.

Each importer reads the files of one MTA, takes everything else from a base scenario, and returns an
`Imported`: the scenario, a file whose comments give the source of each value, and a report of used
and unused settings.
"""

from sendcap.importers.exim import import_exim as import_exim
from sendcap.importers.imported import Imported as Imported
from sendcap.importers.kumomta import import_kumomta as import_kumomta
from sendcap.importers.opensmtpd import import_opensmtpd as import_opensmtpd
from sendcap.importers.postfix import import_postfix as import_postfix
from sendcap.importers.powermta import import_powermta as import_powermta

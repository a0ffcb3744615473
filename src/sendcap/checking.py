"""The check of a saved directory of any kind: whether all is as it was saved, and can be read."""

from pathlib import Path
from typing import Final

from sendcap.calibration.files import CALIBRATION
from sendcap.errors import SendcapError
from sendcap.files.checksums import CHANGED, SUMMARY, Checksums, checksum, recorded
from sendcap.files.directory import LITTER, Contents
from sendcap.files.single import plain_words
from sendcap.importers.imported import REPORT
from sendcap.saved import RUN, read_run
from sendcap.study.calendar.calendar import CALENDAR_OF_A_SCENARIO
from sendcap.study.capacity.limits import LIMITS_OF_A_SCENARIO
from sendcap.study.convergence.compare import COMPARISON
from sendcap.study.convergence.converge import CONVERGENCE
from sendcap.study.drain.drain import DRAINED
from sendcap.study.forecasts.outlook import FORECAST
from sendcap.study.sweeps.files import STORE, STUDY
from sendcap.study.sweeps.store import MARK, damaged_files

_STUDY: Final = Contents("the results of a study", frozenset({STUDY}), frozenset())
_STORE: Final = Contents("a store of runs", frozenset({MARK}), frozenset())
KINDS: Final = (
    *(RUN, LIMITS_OF_A_SCENARIO, CONVERGENCE, COMPARISON, FORECAST, CALENDAR_OF_A_SCENARIO),
    *(DRAINED, CALIBRATION, REPORT, _STUDY, _STORE),
)

_UNKNOWN: Final = (
    "has no checksums, so nobody can tell whether it has changed: an older sendcap has saved it"
)


def check(directory: Path) -> tuple[str, list[str]]:
    """Return the kind of a saved directory, and a sentence for each thing wrong there."""
    if not directory.is_dir():
        raise SendcapError(f"{directory}: no such directory")
    try:
        return _check(directory)
    except OSError as error:
        culprit = directory if error.filename is None else error.filename
        raise SendcapError(f"{culprit}: cannot be read: {plain_words(error)}") from error


def _check(directory: Path) -> tuple[str, list[str]]:
    present = {path.name for path in directory.iterdir() if path.is_file()} - LITTER - {SUMMARY}
    checksums: Checksums = {}
    problems: list[str] = []
    try:
        checksums = recorded(directory)[1]
    except SendcapError as error:
        problems = [str(error)]
    names = present | checksums.keys() | {SUMMARY}
    kind = next((kind for kind in KINDS if kind.marks <= names), None)
    if kind is None:
        raise SendcapError(f"{directory}: is not a directory that sendcap has saved")
    problems += [f"{directory / name}: is missing" for name in sorted(checksums.keys() - present)]
    problems += [
        f"{directory / name}: {CHANGED}"
        for name in sorted(checksums.keys() & present)
        if checksum(directory / name) != checksums[name]
    ]
    if kind is RUN and not problems:
        problems += _unfit(directory)
    store = directory if kind is _STORE else directory / STORE
    problems += [f"{path}: is damaged" for path in damaged_files(store)]
    if kind is not _STORE and (checksums or not problems):
        problems += _without_checksums(directory, present, checksums)
    return kind.what, problems


def _unfit(directory: Path) -> list[str]:
    """Return why a saved run cannot be opened."""
    try:
        read_run(directory)
    except SendcapError as error:
        return [str(error)]
    return []


def _without_checksums(directory: Path, present: set[str], checksums: Checksums) -> list[str]:
    if checksums:
        added = sorted(present - checksums.keys())
        return [f"{directory / name}: has no checksum: it was added later" for name in added]
    return [f"{directory}: {_UNKNOWN}"]

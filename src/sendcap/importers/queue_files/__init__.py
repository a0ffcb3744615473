"""A queue that exists, as an operator lists it in an incident.

``postqueue -j``, ``mailq`` and ``qshape`` of Postfix, KumoMTA's metrics, ``pmta show topqueues`` of
PowerMTA, ``mailq`` and ``showqueue`` of Momentum, ``mailq`` of sendmail, ``exim -bp``, or a table.
"""

from datetime import datetime
from pathlib import Path
from types import ModuleType
from typing import Final

from sendcap.calibration.logs.reading import shape
from sendcap.errors import ConfigurationError
from sendcap.files.kinds import mistaken
from sendcap.importers.queue_files import (
    exim,
    kumomta,
    mailq,
    momentum,
    postqueue,
    powermta,
    qshape,
    sendmail,
    table,
)
from sendcap.importers.queue_files.queued import Queued as Queued
from sendcap.importers.queue_files.queued import QueueFile as QueueFile
from sendcap.importers.queue_files.source import Source, source_of
from sendcap.text.quoting import did_you_mean, shown

_READERS: Final[dict[str, ModuleType]] = {
    reader.FORMAT: reader
    for reader in (postqueue, mailq, sendmail, qshape, kumomta, powermta, momentum, exim, table)
}
FORMATS: Final = tuple(_READERS)


def read_queue_file(
    path: str | Path,
    format: str | None = None,  # noqa: A002 (as the option of the command)
    at: datetime | None = None,
) -> QueueFile:
    """Read the messages of a queue.

    Parameters
    ----------
    path
        The file: what a command of the MTA printed, or a table.
    format
        One of `FORMATS`; None to recognise it by the content.
    at
        The moment at which the file was written; None for its last change. It is never earlier than
        the newest message. Without a time zone, it is local time.

    Returns
    -------
    QueueFile
        The messages, in groups that share what is known of them, without any address.

    Raises
    ------
    ConfigurationError
        If the file cannot be read, or nothing in it can.
    """
    if format is not None and format not in _READERS:
        hint = did_you_mean(format, FORMATS) or f"; choose one of {', '.join(FORMATS)}"
        raise ConfigurationError(f"format: {shown(format)} is not known{hint}")
    with source_of(path, at) as source:
        name = format or _recognised(source)
        _READERS[name].read(source)
        return source.queue_file(name)


def _recognised(source: Source) -> str:
    counts = {name: reader.recognises(source.head) for name, reader in _READERS.items()}
    best = max(counts, key=lambda name: counts[name])
    if not counts[best]:
        looks = shape(source.head[0].strip().encode("utf-8", "replace"))
        unknown = f"unknown format (a line looks like {looks!r}); give one of {', '.join(FORMATS)}"
        problem = mistaken("\n".join(source.head), "queue") or unknown
        raise ConfigurationError(f"{source.name}: {problem}")
    return best

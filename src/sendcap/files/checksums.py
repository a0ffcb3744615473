"""The SHA-256 of each file of a saved directory, in the directory's ``summary.json``.

The entry of ``summary.json`` is the hash of the rest of it. A file without an entry was saved by an
older sendcap, or by somebody else.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from sendcap.errors import RunError
from sendcap.files.figures import json_text
from sendcap.files.single import plain_words, write_text
from sendcap.version import MODEL_VERSION, __version__

SUMMARY: Final = "summary.json"
_KEY: Final = "sha256"

Checksums = dict[str, str]
"""By the name of a file."""


def seal(folder: Path) -> None:
    """Record the checksums of all files of a directory that is being made."""
    figures, _ = recorded(folder)
    files = sorted(path for path in folder.iterdir() if path.name != SUMMARY)
    write_text(folder / SUMMARY, sealed(figures, {path.name: checksum(path) for path in files}))


def sealed(figures: Mapping[str, Any], checksums: Mapping[str, str]) -> str:
    """Return the text of ``summary.json``."""
    rest = hashlib.sha256(json_text({**figures, _KEY: checksums}).encode()).hexdigest()
    return json_text({**figures, _KEY: {**checksums, SUMMARY: rest}})


def recorded(folder: Path) -> tuple[dict[str, Any], Checksums]:
    """Return the figures of ``summary.json``, and the checksums of the other files."""
    path = folder / SUMMARY
    try:
        text = path.read_text(encoding="utf-8")
        figures = dict(json.loads(text))
        checksums = {str(name): str(value) for name, value in figures.pop(_KEY, {}).items()}
    except FileNotFoundError:
        return {"sendcap": __version__, "model": MODEL_VERSION}, {}
    except OSError as error:
        raise RunError(f"{path}: cannot be read: {plain_words(error)}") from error
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise RunError(f"{path}: is damaged: it is not the JSON of a summary") from error
    rest = checksums.pop(SUMMARY, None)
    if rest is not None and text != sealed(figures, checksums):
        raise RunError(f"{path}: {CHANGED}")
    return figures, checksums


CHANGED: Final = f"has changed since it was saved: its SHA-256 is not the one in {SUMMARY}"


def checksum(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def require_unchanged(path: Path) -> None:
    """Refuse a file that is not as it was saved; one without a checksum passes."""
    expected = recorded(path.parent)[1].get(path.name)
    if expected is not None and path.is_file() and checksum(path) != expected:
        raise RunError(f"{path}: {CHANGED}")

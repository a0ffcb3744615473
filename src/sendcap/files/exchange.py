"""Two directories that swap their names in one step, where the system can do that."""

import ctypes
import errno
import os
import sys
from pathlib import Path
from typing import Final

_RELATIVE_TO_HERE: Final = -100  # AT_FDCWD
_EXCHANGE: Final = 2  # RENAME_EXCHANGE
_CANNOT: Final = (errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP)
"""Errors of a kernel or a file system without the exchange."""

# Python has no call for it, and the one package that has was last released in 2022.
_renameat2 = (
    getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if sys.platform == "linux"
    else None
)


def exchange(one: Path, other: Path) -> bool:
    """Let two paths swap their contents; return False where the system cannot."""
    if _renameat2 is None:
        return False
    names = os.fsencode(one), os.fsencode(other)
    if _renameat2(_RELATIVE_TO_HERE, names[0], _RELATIVE_TO_HERE, names[1], _EXCHANGE) == 0:
        return True
    error = ctypes.get_errno()
    if error in _CANNOT:
        return False
    raise OSError(error, os.strerror(error), str(other))

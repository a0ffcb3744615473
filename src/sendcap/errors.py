"""The errors and warnings that sendcap raises on purpose."""

from typing import Self


class SendcapError(Exception):
    """Anything that the user can put right: a bad scenario, a missing file, a full disk.

    The message is one line per problem and needs no traceback to be understood.
    """


class ScenarioError(SendcapError):
    """A scenario that cannot be simulated, one line per field that is wrong."""

    def within(self, where: str) -> Self:
        """Return the same with where it is before each line."""
        return type(self)("\n".join(f"{where}: {line}" for line in str(self).split("\n")))


class RunError(SendcapError):
    """A saved run that cannot be written or read."""


class ExistsError(RunError):
    """A file or directory that is there already, and is not to be replaced."""

    def __init__(self, path: object, kind: str) -> None:
        self._path, self._kind = path, kind
        super().__init__(self.written("force=True"))

    def written(self, remedy: str) -> str:
        """Return the message with the remedy as the caller writes it."""
        return f"{self._path}: already exists; choose another {self._kind} or add {remedy}"


class SendcapWarning(UserWarning):
    """A scenario that can be simulated, though probably not as its author meant it."""


class ConfigurationError(SendcapError):
    """A configuration of an MTA, or a table of an audience, that cannot be imported."""

"""A Python that has imported sendcap already: it forks a process for each program it is asked for.

A new interpreter imports for a second or more before it does what a test is about. A fork of a
warm one is a process like any other (own id, signals, files, working directory, exit code) and
begins at once. What it does not show is the import itself, and another hash seed for each process.

No program outlives the warm Python, and nothing that a program has forked outlives the program.
"""

from __future__ import annotations

import array
import atexit
import io
import multiprocessing
import multiprocessing.process
import os
import pickle
import select
import signal
import socket
import subprocess
import sys
import threading
import time
import types
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, NamedTuple, Self

WORD = 8
"""Bytes that say how long a message is."""

MOST_FILES = 16
"""Open files that a program gets."""

WORKER = """
import os, sys
from multiprocessing import forkserver, spawn

takes, *forkserver._forkserver._inherited_fds = map(int, sys.argv[1:])
os._exit(spawn._main(takes, os.dup(takes)))
"""
"""What a process does that `multiprocessing` forks from its server."""


def wait_for(condition: Callable[[], object]) -> None:
    """Return when a condition holds; after ten minutes, it never will."""
    until = time.monotonic() + 600.0
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.02)


class Process:
    """A program that a warm Python runs; what `subprocess.Popen` offers, as far as it is needed."""

    def __init__(self, pid: int, ended: int, stdout: int | None, stderr: int | None) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self.stdout, self.stderr = _reading(stdout), _reading(stderr)
        self._ended = ended

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.wait()
        self.close()

    def wait(self, timeout: float | None = None) -> int:
        if self.returncode is None:
            if not select.select([self._ended], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0.0)
            status = os.read(self._ended, WORD)
            os.close(self._ended)
            assert status, "the warm Python has died"
            self.returncode = int.from_bytes(status, "little", signed=True)
        return self.returncode

    def poll(self) -> int | None:
        try:
            return self.wait(0)
        except subprocess.TimeoutExpired:
            return None

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            # It may have ended just now.
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """Return all of its output, and wait for its end."""
        texts = {"stdout": "", "stderr": ""}

        def read(name: str, stream: IO[str]) -> None:
            texts[name] = stream.read()

        streams = {"stdout": self.stdout, "stderr": self.stderr}
        readers = [
            threading.Thread(target=read, args=(name, stream), daemon=True)
            for name, stream in streams.items()
            if stream is not None
        ]
        for reader in readers:
            reader.start()
        ends = None if timeout is None else time.monotonic() + timeout
        self.wait(timeout)
        for reader in readers:
            reader.join(None if ends is None else max(0.0, ends - time.monotonic()))
            if reader.is_alive():
                raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0.0)
        self.close()
        return texts["stdout"], texts["stderr"]

    def close(self) -> None:
        """Close its output."""
        for stream in (self.stdout, self.stderr):
            if stream is not None:
                stream.close()


class Warm:
    """Starts programs in forks of a Python that has imported what they need.

    Parameters
    ----------
    imports
        Statements that make it warm.
    """

    def __init__(self, imports: str) -> None:
        self._socket, other = socket.socketpair()
        self._asking = threading.Lock()
        with other:
            self._server = subprocess.Popen(
                [sys.executable, __file__, str(other.fileno()), imports],
                pass_fds=[other.fileno()],
                env={**os.environ, "PYTHONWARNINGS": "error", "OPENBLAS_NUM_THREADS": "1"},
            )

    def close(self) -> None:
        self._socket.close()
        self._server.wait()

    def start(
        self,
        arguments: Sequence[str],
        *,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        stdout: int | None = subprocess.PIPE,
        stderr: int | None = subprocess.PIPE,
        own_group: bool = False,
        ignore: Sequence[int] = (),
        forks: bool = False,
        sketched: bool = False,
    ) -> Process:
        """Start a program.

        Parameters
        ----------
        arguments
            What stands behind ``python``: ``-m module``, ``-c code`` or a file, and arguments.
        cwd, env, stdout, stderr
            As of `subprocess.Popen`.
        own_group
            Whether it leads a session, and so a process group, of its own.
        ignore
            Signals that it starts with ignored.
        forks
            Whether it forks the processes that it would spawn. They end with it, by force: a fork
            holds the pipe open that tells a spawned one of the death. It has a group of its own.
        sketched
            Whether it saves charts as sketches.
        """
        out, err = (_piped(asked) for asked in (stdout, stderr))
        ended, ends = os.pipe()
        pid = self._asked(
            {
                "arguments": [str(argument) for argument in arguments],
                "cwd": str(cwd or Path.cwd()),
                "env": dict(os.environ if env is None else env),
                "own_group": own_group or forks,
                "ignore": list(ignore),
                "forks": forks,
                "sketched": sketched,
            },
            [out[1], err[1], ends],
        )
        os.close(ends)
        for asked, (_, writing) in ((stdout, out), (stderr, err)):
            if asked == subprocess.PIPE:
                os.close(writing)
        return Process(pid, ended, out[0], err[0])

    def start_worker(self, handed: Sequence[int]) -> tuple[int, int]:
        """Start a process of `multiprocessing`; in place of `forkserver.connect_to_new_process`.

        Parameters
        ----------
        handed
            Open files that it gets.

        Returns
        -------
        told, tells
            A pipe that has the number of the process and then its exit code, and one that takes
            what it is to do.
        """
        told, ends = os.pipe()
        takes, tells = os.pipe()
        request = {
            "arguments": ["-c", WORKER],
            "cwd": str(Path.cwd()),
            "env": dict(os.environ),
            "own_group": False,
            "ignore": [],
            "forks": False,
            "sketched": False,
            "numbered": True,
        }
        self._asked(request, [1, 2, ends, takes, *handed])
        os.close(takes)
        os.close(ends)
        return told, tells

    def _asked(self, request: dict[str, Any], files: Sequence[int]) -> int:
        """Return the number of the process of a program that gets these open files."""
        message = pickle.dumps(request)
        nowhere = os.open(os.devnull, os.O_RDWR)
        with self._asking:
            self._socket.sendmsg(
                [len(message).to_bytes(WORD, "little")],
                [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [nowhere, *files]))],
            )
            self._socket.sendall(message)
            number = int.from_bytes(_received(self._socket, WORD), "little")
        os.close(nowhere)
        return number

    def run(
        self, arguments: Sequence[str], *, timeout: float | None = None, **more: Any
    ) -> subprocess.CompletedProcess[str]:
        """Run a program to its end; as `subprocess.run` with ``capture_output``."""
        process = self.start(arguments, **more)
        out, err = process.communicate(timeout)
        return subprocess.CompletedProcess(list(arguments), process.wait(), out, err)


def _piped(asked: int | None) -> tuple[int | None, int]:
    """Return the ends to read from and to write to."""
    if asked == subprocess.PIPE:
        return os.pipe()
    if asked == subprocess.DEVNULL:
        return None, os.open(os.devnull, os.O_RDWR)
    return None, 1 if asked is None else asked


def _reading(descriptor: int | None) -> IO[str] | None:
    if descriptor is None:
        return None
    return io.TextIOWrapper(io.BufferedReader(io.FileIO(descriptor)), encoding="utf-8")


def _received(connection: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        more = connection.recv(count - len(data))
        if not more:
            raise EOFError
        data += more
    return data


# The other side: the warm Python.


class Program(NamedTuple):
    """A program that runs."""

    ends: int  # the pipe that takes its exit code
    forks: bool


def serve(connection: socket.socket) -> None:
    """Fork a process for each request, and write how it has ended into its pipe."""
    programs: dict[int, Program] = {}
    woken, wakes = socket.socketpair()
    try:
        with connection, woken, wakes:
            _serve(connection, woken, wakes, programs)
    finally:
        for pid in programs:
            os.kill(pid, signal.SIGKILL)
        while programs:
            _reap(programs, os.WEXITED)


def _serve(
    connection: socket.socket,
    woken: socket.socket,
    wakes: socket.socket,
    programs: dict[int, Program],
) -> None:
    for end in (woken, wakes):
        end.setblocking(False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    # It may have been started while they are blocked, as workers are.
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    # A terminal's Ctrl-C is for the tests.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.set_wakeup_fd(wakes.fileno())
    while True:
        ready, _, _ = select.select([connection, woken], [], [])
        if woken in ready:
            woken.recv(4096)
            while programs and _reap(programs, os.WEXITED | os.WNOHANG):
                pass
        if connection in ready:
            head, ancillary, _, _ = connection.recvmsg(WORD, socket.CMSG_SPACE(4 * MOST_FILES))
            if not head:
                signal.set_wakeup_fd(-1)
                return
            files = array.array("i")
            for _, _, data in ancillary:
                files.frombytes(data)
            request = pickle.loads(_received(connection, int.from_bytes(head, "little")))
            pid = os.fork()
            if pid == 0:
                signal.set_wakeup_fd(-1)
                for opened in (connection, woken, wakes):
                    opened.close()
                for program in programs.values():
                    os.close(program.ends)
                programs.clear()  # they are not those of this process
                os.close(files[3])
                run(request, list(files[:3]), list(files[4:]))
            programs[pid] = Program(files[3], request["forks"])
            if request.get("numbered"):
                _tell(files[3], pid)
            for opened in [*files[:3], *files[4:]]:
                os.close(opened)
            connection.sendall(pid.to_bytes(WORD, "little"))


def _reap(programs: dict[int, Program], options: int) -> bool:
    """Take in the end of a program, and tell whether there was one."""
    ended = os.waitid(os.P_ALL, 0, options | os.WNOWAIT)
    if ended is None:
        return False
    program = programs.pop(ended.si_pid)
    if program.forks:
        # Its number is not given to another group before it is waited for. It may have none yet.
        with suppress(ProcessLookupError):
            os.killpg(ended.si_pid, signal.SIGKILL)
    _, status = os.waitpid(ended.si_pid, 0)
    _tell(program.ends, os.waitstatus_to_exitcode(status))
    os.close(program.ends)
    return True


def _tell(pipe: int, number: int) -> None:
    # The tests may have ended.
    with suppress(BrokenPipeError):
        os.write(pipe, number.to_bytes(WORD, "little", signed=True))


def run(request: dict[str, Any], files: list[int], handed: list[int]) -> None:
    """Become the program; return only by leaving the interpreter."""
    if request["own_group"]:
        os.setsid()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in request["ignore"]:
        signal.signal(number, signal.SIG_IGN)
    if request["forks"]:
        forking = multiprocessing.get_context("fork")
        multiprocessing.get_context = lambda _: forking
    if request["sketched"]:
        from matplotlib.figure import Figure
        from sketches import sketch

        Figure.savefig = sketch
    for number, opened in enumerate(files):
        os.dup2(opened, number)
        os.close(opened)
    for name, number in (("stdout", 1), ("stderr", 2)):
        binary = io.BufferedWriter(io.FileIO(number, "w", closefd=False))
        stream = io.TextIOWrapper(
            binary,
            "utf-8",
            errors="strict" if number == 1 else "backslashreplace",
            line_buffering=number == 2,
        )
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)
    os.chdir(request["cwd"])
    multiprocessing.process.ORIGINAL_DIR = str(Path.cwd())
    os.environ.clear()
    os.environ.update(request["env"])
    code = None
    try:
        _become_main([*request["arguments"], *map(str, handed)], os.environ.get("PYTHONPATH", ""))
    except SystemExit as ended:
        code = ended.code
        if not isinstance(code, int | None):
            raise
    _end(code or 0)
    sys.exit(code)


def _end(code: int) -> None:
    """End as a program does, with all that is registered for that, unless a stream is broken.

    The interpreter is not taken apart, which takes as long as a small run.
    """
    threading._shutdown()
    atexit._run_exitfuncs()
    with suppress(OSError, ValueError):
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code & 0xFF)


def _become_main(arguments: list[str], path: str) -> None:
    kind = arguments[0]
    sys.path[0] = str(Path(kind).resolve().parent) if not kind.startswith("-") else ""
    sys.path[1:1] = [entry for entry in path.split(os.pathsep) if entry]
    if kind == "-m":
        import runpy

        sys.argv = arguments[1:]
        runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
        return
    main = types.ModuleType("__main__")
    sys.modules["__main__"] = main
    if kind == "-c":
        sys.argv = ["-c", *arguments[2:]]
        code = compile(arguments[1], "<string>", "exec")
    else:
        sys.argv = arguments
        main.__file__ = kind
        code = compile(Path(kind).read_bytes(), kind, "exec")
    exec(code, main.__dict__)


if __name__ == "__main__":
    exec(sys.argv[2], {"__name__": "warming"})
    serve(socket.socket(fileno=int(sys.argv[1])))

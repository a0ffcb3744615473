"""Commands that write, as small as they can be, and a program that dies at one of the writes."""

from __future__ import annotations

import os
import random
from pathlib import Path
from subprocess import DEVNULL

from warm import Warm

import sendcap

TINY = """
seed = 3
[[deliveries]]
name = "news"
messages = 60
validity = "1h"
audience = { gmail = 1.0 }
[relay]
batch_time = "1s"
[providers.gmail]
connect_time = "100ms"
transaction_time = { dist = "exponential", mean = "200ms" }
"""
TEXT = f'{TINY}hard = [{{ reason = "user unknown", share = SHARE }}]\n'
PEOPLE = "[population]\nsize = 60\nproviders = { gmail = 1.0 }\n"
STUDY = """
scenario = "small.toml"
measures = ["accepted"]
"""
STUDIES = {
    "sweep": '[over]\n"mta.ips" = [1, 2, 3]\n',
    "sensitivity": (
        '[design]\npoints = 2\n[design.ranges]\n"relay.workers" = [1, 8]\n"mta.ips" = [1, 2]\n'
    ),
    "optimise": (
        '[target]\nmeasure = "accepted_50_pct_s"\nat_most = "90s"\n[search]\ntrials = 2\n'
        '[levers]\n"mta.ips" = { from = 1, to = 2, cost = 40 }\n'
    ),
}
SHAPING = '["default"]\nconnection_limit = 10\n[provider."gmail"]\nconnection_limit = 5\n'
LINE = (
    "2026-11-26T10:{:02d}:{:02d}+00:00 mx postfix/smtp[7]: 4X{}: to=<u{}@gmail.com>, "
    "relay=gmail-smtp-in.l.google.com[1.2.3.4]:25, delay={}, delays=0/0/0.{}/0.{}, dsn=2.0.0, "
    "status=sent (250 2.0.0 OK)\n"
)
ALONE = ("--workers", "1")

COMMANDS: dict[str, tuple[str, ...]] = {
    "run": ("run", "small.toml", "--sending-log", "--out", "out", "--force"),
    "run of people": ("run", "people.toml", "--out", "out", "--force"),
    "limits": ("limits", "small.toml", "--out", "out", "--force"),
    "calendar": (
        *("calendar", "small.toml", "--deadline", "1h", "--replications", "2"),
        *("--out", "out", "--force", *ALONE),
    ),
    "drain": (
        *("drain", "small.toml", "--queue", "queue.csv", "--as-of", "2026-11-26T10:00"),
        *("--out", "out", "--force"),
    ),
    "report": ("report", "saved", "--out", "report.html", "--force"),
    "plot": ("plot", "saved", "delivered", "--out", "chart.png", "--force"),
    "converge": (
        *("converge", "small.toml", "--replications", "2", "--out", "out", "--force"),
        *ALONE,
    ),
    "compare": (
        *("compare", "small.toml", "--set", "mta.ips=2", "--replications", "2"),
        *("--out", "out", "--force", *ALONE),
    ),
    "forecast": (
        *("forecast", "given.toml", "--observed", "saved/kpis.csv", "--at", "1m"),
        *("--simulations", "64", "--confidence", "80%", "--out", "out", "--force", *ALONE),
    ),
    "sweep": ("sweep", "sweep.toml", "--out", "out", *ALONE),
    "sensitivity": ("sensitivity", "sensitivity.toml", "--out", "out", *ALONE),
    "optimise": ("optimise", "optimise.toml", "--out", "out", *ALONE),
    "import": (
        *("import", "kumomta", "shaping.toml", "--audience", "gmail=1"),
        *("--out", "mine.toml", "--report", "out", "--force"),
    ),
    "calibrate": (
        *("calibrate", "mail.log", "--out", "mine.toml", "--report", "out", "--force", "--verify"),
    ),
}

IN_TURN = random.Random("commands").sample(sorted(COMMANDS), len(COMMANDS))
"""Their names: a part of them is a part of everything."""

TIMED = ("results.parquet", "summary.json")
"""Files of a study in which the time shows that runs took."""


def write_inputs(folder: Path) -> Path:
    """Write what the commands read, and return the place where they run."""
    place = folder / "place"
    place.mkdir()
    (place / "small.toml").write_text(TEXT.replace("SHARE", "0.02"))
    (place / "given.toml").write_text(TEXT.replace("SHARE", "{ low = 0.01, high = 0.2 }"))
    (place / "people.toml").write_text(TEXT.replace("SHARE", "0.02") + PEOPLE)
    for name, text in STUDIES.items():
        (place / f"{name}.toml").write_text(STUDY + text)
    (place / "shaping.toml").write_text(SHAPING)
    (place / "queue.csv").write_text("provider,messages\ngmail,40\n")
    lines = (LINE.format(n // 60, n % 60, n, n, n % 10, n % 9 + 1, n % 7) for n in range(300))
    (place / "mail.log").write_text("".join(lines))
    run = sendcap.simulate(sendcap.scenario.loads(TEXT.replace("SHARE", "0.1")), seed=9)
    run.save(place / "saved")
    (place / "tmp").mkdir()
    return place


PROGRAM = """
import os, signal, sys
from matplotlib.figure import Figure
from sketches import sketch
from sendcap.cli import main

Figure.savefig = sketch
place, last = os.getcwd(), int(sys.argv[1])
writes = 0

def hook(event, arguments):
    global writes
    if event == "open":
        if not arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            return
    elif event not in ("os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.truncate"):
        return
    path = arguments[0]
    if isinstance(path, int) or not os.path.abspath(os.fsdecode(path)).startswith(place):
        # Within a directory that is being removed, paths are relative to it.
        if event == "open" or isinstance(path, int):
            return
    writes += 1
    if writes == last:
        os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(hook)
try:
    main(sys.argv[2:])
finally:
    sys.stdout.flush()
    os.write(2, b"writes: %d\\n" % writes)
"""
"""Runs a command and kills itself before the write of this number; 0 stands for none."""


def ended(warm: Warm, name: str, place: Path, last: int = 0) -> tuple[int, str]:
    """Run a command in a place until a write; return the exit code and the messages."""
    path = os.pathsep.join(map(str, (Path(__file__).parents[1], Path(sendcap.__file__).parents[1])))
    environment = os.environ | {"TMPDIR": str(place / "tmp"), "PYTHONPATH": path}
    arguments = ["-c", PROGRAM, str(last), *COMMANDS[name]]
    process = warm.start(arguments, cwd=place, env=environment, forks=True, stdout=DEVNULL)
    code = process.wait()
    return code, process.communicate()[1]


def outputs(place: Path, name: str) -> dict[str, bytes]:
    """Return all files, without those of a study in which times show."""
    return {
        str(path.relative_to(place)): path.read_bytes()
        for path in place.rglob("*")
        if path.is_file()
        and not (name in STUDIES and (path.name in TIMED or path.parent.name == "store"))
    }


def leftovers(place: Path) -> list[Path]:
    return [*place.rglob(".sendcap-*"), *(place / "tmp").iterdir()]

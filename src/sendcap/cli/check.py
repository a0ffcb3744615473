"""``sendcap check``: whether saved directories are as they were saved."""

from pathlib import Path

import click

from sendcap.errors import SendcapError


@click.command()
@click.argument(
    "directories", metavar="DIR...", nargs=-1, required=True, type=click.Path(path_type=Path)
)
def check(directories: tuple[Path, ...]) -> None:
    """Check that a saved DIR is complete and unchanged.

    The exit code is 2 if not. DIR is what any command has saved, or a store of runs. Each file must
    have the SHA-256 that summary.json records; a run's ledger must fit its scenario, and the runs
    of a store must be readable.
    """
    from sendcap.checking import check as checked

    wrong: list[str] = []
    for directory in directories:
        try:
            what, problems = checked(directory)
        except SendcapError as error:
            problems = [str(error)]
        if not problems:
            click.echo(f"ok: {directory}: {what}, complete and unchanged")
        wrong += problems
    if wrong:
        raise SendcapError("\n".join(wrong))

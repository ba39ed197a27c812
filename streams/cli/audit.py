"""`headgate audit`: verify, export, show and replay a ledger, exported or in Kafka."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from agents.ledger.fold import Trust, Verified
from agents.ledger.state import LedgerState
from schemas.errors import HeadgateError, PolicyError
from streams.ledger.exported import CHECKPOINT, Folder
from streams.ledger.keyring import read_trust, trust_path
from streams.ledger.source import Reading, Source, Topic
from streams.ledger.verify import Progress, Report, read_note, verify
from streams.settings import Settings
from streams.view.telling import entry_document, entry_lines, plain, printable

_FILE = click.Path(path_type=Path, dir_okay=False)
_FOLDER = click.Path(path_type=Path)
_TRUST = click.option("--trust", type=_FILE, metavar="FILE", help="Whom you believe: the file that `init` wrote.")


@click.group(name="audit")
def command() -> None:
    """Verify, export, show and replay the ledger.

    DIR is an exported ledger, which needs no broker; without it the ledger in Kafka is read.
    """


@command.command(name="verify")
@click.argument("directory", metavar="[DIR]", type=_FOLDER, required=False)
@_TRUST
@click.option("--since", type=_FILE, metavar="FILE", help="A checkpoint kept from earlier: nothing may be gone since.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@click.pass_obj
def check(settings: Settings, directory: Path | None, trust: Path | None, since: Path | None, *, as_json: bool) -> None:
    """Check every hash and signature, and make every decision again; exit 1 and name the first bad index."""
    believed = read_trust(trust) if trust is not None else None
    kept = read_note(since) if since is not None else None
    with _progress("verifying") as progress:
        report = verify(_source(settings, directory), trust=believed, since=kept, progress=progress)
    click.echo(json.dumps(report.document(), indent=2) if as_json else _told(report))
    if not report.consistent:
        sys.exit(1)


@command.command()
@click.argument("directory", metavar="DIR", type=_FOLDER)
@_TRUST
@click.option("--force", is_flag=True, help="Export a broken ledger too, for an investigation.")
@click.pass_obj
def export(settings: Settings, directory: Path, trust: Path | None, *, force: bool) -> None:
    """Write the ledger in Kafka, up to its newest checkpoint, into the new folder DIR."""
    from streams.ledger.export import export_topic

    believed = _trust(settings, None, trust)
    with _progress("exporting") as progress:
        report = export_topic(settings, believed, directory, force=force, progress=progress)
    click.echo(f"{report.entries} entries, root {report.root}, in {directory}; {printable(report.sentence())}")
    click.echo(f"keep {directory / CHECKPOINT}, and give it with --since next time", err=True)


@command.command()
@click.argument("what", metavar="[INDEX] [DIR]", nargs=-1)
@click.option("--from", "first", type=click.IntRange(0), default=0, help="First index.")
@click.option("--to", "last", type=click.IntRange(0), help="Last index.")
@click.option("--incident", metavar="ID", help="Only entries about this incident.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object an entry and line.")
@_TRUST
@click.pass_obj
def show(
    settings: Settings,
    /,
    what: tuple[str, ...],
    first: int,
    last: int | None,
    trust: Path | None,
    **given: str | bool | None,
) -> None:
    """Show entries that are proven: who asked what, and what followed. With one INDEX, with every field."""
    index, directory = _index_and_folder(what)
    if index is not None:
        first = last = index
    shown = False
    for found in _entries(_source(settings, directory), _trust(settings, directory, trust)):
        if last is not None and found.index > last:
            break
        about = found.asked.incident if found.asked is not None else ""
        if found.index < first or given["incident"] not in {None, about}:
            continue
        shown = True
        if given["as_json"]:
            click.echo(json.dumps(entry_document(found)))
        else:
            click.echo("\n".join(entry_lines(found, whole=index is not None)))
    if index is not None and not shown:
        raise HeadgateError(f"the ledger has no entry {index}")


@command.command()
@click.argument("directory", metavar="[DIR]", type=_FOLDER, required=False)
@click.option("--at", type=click.IntRange(0), metavar="INDEX", required=True, help="The last entry to take.")
@click.option("--incident", metavar="ID", help="Only this case.")
@_TRUST
@click.pass_obj
def replay(settings: Settings, directory: Path | None, at: int, incident: str | None, trust: Path | None) -> None:
    """Print the state that the entries up to an index add up to, as JSON: keys, policy, leases, cases."""
    state, reached = LedgerState(), -1
    for found in _entries(_source(settings, directory), _trust(settings, directory, trust)):
        if found.index > at:
            break
        reached = found.index
        if found.entry is not None and found.asked is not None:
            state.apply(found.entry, found.asked, list(found.events), found.leaf)
    if reached < at:
        raise HeadgateError(f"the ledger has no entry {at}; its last proven one is {reached}")
    if incident is not None and incident not in state.cases:
        raise HeadgateError(f"there was no incident {incident:.80} at entry {at}")
    if incident is not None:
        document = {"index": at, "case": plain(state.cases[incident])}
    else:
        document = {"index": at, "control": plain(state.control), "cases": plain(state.cases)}
    click.echo(json.dumps(document, indent=2, sort_keys=True))


@command.command()
@click.pass_obj
def trust(settings: Settings) -> None:
    """Print the trust file of this machine: hand it to auditors by a way that they trust."""
    path = trust_path(settings)
    read_trust(path)
    click.echo(path.read_text("utf-8"), nl=False)
    click.echo(f"this is {path}", err=True)


def _source(settings: Settings, directory: Path | None) -> Source:
    return Topic(settings) if directory is None else Folder(directory)


def _trust(settings: Settings, directory: Path | None, given: Path | None) -> Trust | None:
    """Return whom to believe: the file that was named, or for the ledger in Kafka this machine's own."""
    if given is not None:
        return read_trust(given)
    own = trust_path(settings)
    return read_trust(own) if directory is None and own.exists() else None


def _entries(source: Source, believed: Trust | None) -> Iterator[Verified]:
    """Yield what is proven; what was found broken is raised behind it."""
    return iter(Reading(source, believed))


def _index_and_folder(what: tuple[str, ...]) -> tuple[int | None, Path | None]:
    numbers = [word for word in what if word.isascii() and word.isdigit()]
    folders = [word for word in what if word not in numbers]
    if len(numbers) > 1 or len(folders) > 1:
        raise PolicyError("give at most one INDEX and one DIR; a folder whose name is a number is ./NAME")
    return int(numbers[0][:19]) if numbers else None, Path(folders[0]) if folders else None


def _told(report: Report) -> str:
    """Return a report for people."""
    void = report.outcomes.get("void", 0)
    rows = [
        ("ledger", report.origin),
        ("genesis", report.genesis),
        ("entries", f"{report.entries}, {void} void; {report.checkpoints} checkpoints"),
        ("root", report.root),
        ("decided", ", ".join(f"{n} {outcome}" for outcome, n in report.outcomes.items() if outcome != "void")),
        ("events", ", ".join(f"{name} {n}" for name, n in report.events.items())),
        *((f"void {index}", why) for index, why in report.voids[:10]),
    ]
    if report.unfinished:
        rows.append(("not final", f"{report.unfinished} records that no checkpoint covers yet"))
    lines = [printable(f"{name:9} {text}") for name, text in rows if text]
    return "\n".join([*lines, f"{'took':9} {report.seconds:.2f} s", printable(report.sentence())])


@contextmanager
def _progress(what: str) -> Iterator[Progress | None]:
    """Show a bar on a terminal, nothing elsewhere."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress as Bar

    with Bar(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=max(done, total))

"""The demonstration's timeline on the terminal: one line a happening, its second since the start beside it."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from agents.ledger.fold import Verified
from schemas import events as e
from schemas.signals import SignalCleared, SignalRaised
from streams.view.sentences import sentence

_STYLES = {"setup": "dim", "fault": "bold red", "signal": "yellow", "ledger": "cyan", "person": "bold magenta"}
_QUIET = (e.KeyEnrolled, e.LedgerEstablished, e.RegistrarTookOver, e.PolicyAdopted, e.SystemsAdopted)


class Timeline:
    """Prints as things happen; plain lines where there is no terminal."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(highlight=False, soft_wrap=True)
        self._began = time.monotonic()
        self._raised: dict[str, str] = {}

    def say(self, text: str, kind: str = "setup") -> None:
        """Print a line of a kind."""
        since = time.monotonic() - self._began
        self._console.print(f"[dim]{since:7.1f} s[/]  [{_STYLES[kind]}]{kind:<7}[/]  {escape(text)}")

    def fault(self, text: str) -> None:
        """Say that something breaks."""
        self.say(text, "fault")

    def signal(self, raised: SignalRaised) -> None:
        """Say what a detector found."""
        where = f"{raised.model} version {raised.version}" + (f" on {raised.instance}" if raised.instance else "")
        self._raised[raised.signal] = f"{raised.statistic} of {raised.subject}"
        self.say(f"{where}: {raised.summary}", "signal")

    def cleared(self, cleared: SignalCleared) -> None:
        """Say that a signal is gone."""
        what = self._raised.pop(cleared.signal, "a signal")
        self.say(f"{cleared.model} version {cleared.version}: {what} is clear again", "signal")

    def event(self, found: Verified, event: object) -> None:
        """Say what the ledger has recorded, where it is of interest."""
        if isinstance(event, _QUIET):
            return
        self.say(f"entry {found.index}: {sentence(event)}", "ledger")

    @contextmanager
    def waiting(self, what: str) -> Iterator[Callable[[float], None]]:
        """Show a bar on a terminal while waiting; the yielded function takes the share done."""
        if not self._console.is_terminal:
            yield lambda _: None
            return
        columns = (TextColumn("           waiting  {task.description}"), BarColumn(20), TimeElapsedColumn())
        with Progress(*columns, console=self._console, transient=True) as progress:
            task = progress.add_task(what, total=None)
            yield lambda share: progress.update(task, total=1.0, completed=share)

    def end(self, document: Mapping[str, Any], directory: Path) -> None:
        """Print what it came to."""
        seconds, requests, audit = document["seconds"], document["requests"], document["audit"]
        lines = [
            "",
            f"  predictions          {document['predictions']:,}",
            f"  requests             {requests['total']:,}, {requests['failed']} failed",
            f"  incidents            {len(document['incidents'])}",
            *(f"                       {i['severity']} {i['category']}: {i['title']}" for i in document["incidents"]),
            f"  fault to incident    {_seconds(seconds['fault_to_incident'])}",
            f"  approval to effect   {_seconds(seconds['approval_to_effect'])}",
            f"  ledger               {audit['entries']} entries, {_verified(audit)}",
            *_evidence(document, directory),
            "",
            f"  verify it yourself:  headgate audit verify {directory}/ledger --trust {directory}/trust.json",
        ]
        self._console.print("\n".join(lines), markup=False)


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f} s"


def _verified(found: Mapping[str, Any]) -> str:
    return "verified" if found["verified"] else "NOT VERIFIED"


def _evidence(document: Mapping[str, Any], directory: Path) -> list[str]:
    """Return the lines on the evidence package, where there was an incident."""
    if "evidence" not in document:
        return []
    evidence = document["evidence"]
    said = f"{evidence['files']} files, {_verified(evidence)} by its own verifier, with nothing installed"
    return [
        f"  evidence package     {said}",
        f"                       to be read: {directory}/evidence/reports/summary.pdf",
    ]

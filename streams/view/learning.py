"""What was learnt of an incident as people and programs read it: fault tree, signals and verdicts, the post-mortem."""

from collections.abc import Iterator, Mapping
from typing import Any

import click

from agents.ledger.case import Case
from agents.metrics.history import History, histories
from agents.triage.reports import reporter_named
from schemas.case.learning import CauseRecorded, PostMortem
from schemas.errors import HeadgateError
from schemas.signals import Evidence
from streams.view.asking import OpenLedger
from streams.view.rendering import clean, jsonable, table
from streams.view.signing_in import called

PARTS: Mapping[str, str] = {
    "summary": "What happened, in a few sentences.",
    "impact": "Who or what was harmed, how many, for how long.",
    "detection": "What noticed it, and how long after it began.",
    "trigger": "What set it off.",
    "resolution": "What ended it.",
    "went_well": "What went well.",
    "went_wrong": "What went wrong.",
    "lucky": "Where there was luck.",
    "lessons": "What others should learn from it.",
    "confidence": "The model's confidence at the time, before and after.",
    "drift": "Drift of its inputs at the time: metric, value, threshold.",
    "importance": "Shifts in the importance of its features at the time.",
}
"""The parts of a post-mortem, in the order of the file, and what each is to say."""


def history_of(ledger: OpenLedger, case: Case) -> History:
    """Return the history of a case."""
    (found,) = histories(ledger.of(case.incident))
    return found


def signals_of(history: History) -> list[Evidence]:
    """Return the signals of a case, the strongest first; a signal is called by its number in this list, from 1."""
    return sorted(history.evidence.values(), key=lambda item: (-item.score, item.signal))


def signal_named(history: History, name: str) -> str:
    """Return the signal that a person means: its number in the list, its name, or a part of it that no other has."""
    ranked = signals_of(history)
    if name.isdecimal() and 1 <= int(name) <= len(ranked):
        return ranked[int(name) - 1].signal
    found = [item.signal for item in ranked if name in (item.signal, item.subject)]
    found = found or [item.signal for item in ranked if name in item.signal]
    if len(found) != 1:
        raise HeadgateError(
            f"{len(found)} signals of the incident are meant by {clean(name[:80])}; `headgate incidents signals` "
            "numbers them"
        )
    return found[0]


def signal_rows(history: History) -> list[dict[str, Any]]:
    """Return the signals with what people said of them."""
    verdicts = history.case.learning.verdicts
    return [
        {"number": number, **jsonable(item), "finding": jsonable(verdicts.get(item.signal))}
        for number, item in enumerate(signals_of(history), 1)
    ]


def show_signals(history: History) -> None:
    """Print the signals, numbered, with what people said of them."""
    rows = [
        [
            str(one["number"]),
            one["finding"] or "open",
            f"{one['score']:.1f}",
            one["detector"],
            one["subject"],
            one["version"],
            reporter_named(one["summary"], {}),
        ]
        for one in signal_rows(history)
    ]
    table(("", "judged", "score", "detector", "subject", "version", "what"), rows, "the incident rests on no signal")


def tree(causes: Mapping[str, CauseRecorded], parent: str | None = None, depth: int = 0) -> Iterator[str]:
    """Yield the fault tree, a line a node, what explains a node below it."""
    for name, cause in causes.items():
        if cause.parent == parent:
            why = "why? " if depth else ""
            yield f"{'  ' * depth}{why}{name} [{cause.kind.value}, {cause.code.value}]: {cause.text}"
            yield from tree(causes, name, depth + 1)


def show_post_mortem(history: History, names: Mapping[str, str]) -> None:
    """Print the newest post-mortem with its digest, its causes, its actions and whether it is accepted."""
    learning, written = history.case.learning, history.post_mortem
    if written is None:
        raise HeadgateError("no post-mortem is written; `headgate incidents post-mortem template` begins one")
    click.echo(f"post-mortem of {history.incident}, digest {learning.written}")
    by = ", ".join(called(names, author) for author in learning.authors)
    state = f"accepted by {called(names, learning.accepted_by)}" if learning.accepted else "not accepted yet"
    click.echo(f"  written by {by}; {state}")
    for part, text in parts_of(written.text).items():
        click.echo(f"\n{part.replace('_', ' ')}")
        for line in text.splitlines():
            click.echo(f"  {clean(line)}")
    click.echo("\ncauses")
    for line in tree(history.causes) if history.causes else ["none is recorded"]:
        click.echo(f"  {clean(line)}")
    click.echo("\nactions")
    rows = [
        [name, called(names, task.owner), "done" if task.done_at else "open", task.title]
        for name, task in history.case.people.tasks.items()
    ]
    table(("task", "owner", "state", "what"), rows, "  none")


def parts_of(text: PostMortem) -> dict[str, str]:
    """Return the parts of a post-mortem by name, in their order."""
    return {part: getattr(text, part) for part in PARTS}

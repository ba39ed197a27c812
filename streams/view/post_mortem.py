"""The file that a post-mortem is written in: prefilled from the record, and read back with every part there."""

import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path

from agents.metrics.history import History
from agents.metrics.measures import Measure, span
from agents.triage.reports import reporter_named
from schemas.case.learning import CauseKind, Milestone, PostMortem, WritePostMortem
from schemas.errors import HeadgateError
from schemas.signals import Evidence
from schemas.values import Category
from streams.view.learning import PARTS, signals_of, tree
from streams.view.rendering import clean, when
from streams.view.signing_in import called

MAX_FILE = 65_536
_MOST = 8


def template(history: History, names: Mapping[str, str]) -> str:
    """Return the file of a post-mortem: what the record knows filled in, the rest left for its authors."""
    lines = [
        "# A part that says nothing is refused: write that it is unknown, and why.",
        f"# {reporter_named(history.case.title, names)}",
    ]
    lines += [f"# {line}" for line in _facts(history, names)]
    body = [f"incident = {_text(history.incident)}"]
    for part, asks in PARTS.items():
        known = _KNOWN[part](history) if part in _KNOWN else ""
        body += ["", f"# {asks}", f"{part} = {_text(known)}"]
    return "\n".join([*(clean(line) for line in lines), "", *body, ""])


def _facts(history: History, names: Mapping[str, str]) -> Iterable[str]:
    yield "milestones (recorded; corrected):"
    for milestone, at in history.recorded.items():
        said = history.corrected.get(milestone)
        yield f"  {milestone.value}: {when(at)}" + (f"; {when(said.at)}: {said.reason}" if said else "")
    yield "times:"
    for measure in Measure:
        seconds = span(history, measure)
        yield f"  {measure.value}: " + ("unknown" if seconds is None else f"{seconds:.0f} s")
    yield "causes:"
    yield from (f"  {line}" for line in tree(history.causes))
    yield "actions (the tasks of the case):"
    for name, task in history.case.people.tasks.items():
        state = "done" if task.done_at else "open"
        yield f"  {name}, {called(names, task.owner)}, until {when(task.due_at)}, {state}: {task.title}"


def _said(found: Iterable[Evidence], otherwise: str) -> str:
    lines = [
        f"{item.model} {item.version}, {item.subject}: {item.detector} {item.statistic} {item.value:.4g}, "
        f"threshold {item.threshold:.4g}, against {item.baseline}: {reporter_named(item.summary, {})}"
        for item in found
    ]
    more = [f"and {len(lines) - _MOST} more"] if len(lines) > _MOST else []
    return "\n".join([*lines[:_MOST], *more]) or otherwise


def _of(history: History, *categories: Category) -> list[Evidence]:
    return [item for item in signals_of(history) if item.category in categories]


def _summary(history: History) -> str:
    case = history.case
    title = reporter_named(case.title, {})  # what is written goes to the ledger, which names nobody
    return f"{case.severity.value.upper()}, {case.category.value}, of the system {case.system}: {title}"


def _impact(history: History) -> str:
    touched = ", ".join(f"{one.model} version {one.version}" for one in history.case.affected)
    began, ended = history.opened.first_bad_at, history.reached(Milestone.CONTAINED)
    until = f" until {when(ended)}, when it was contained" if ended else "; not contained yet"
    return f"{touched}, from {when(began)}{until}. Who was harmed: "


def _detection(history: History) -> str:
    seconds = span(history, Measure.DETECT)
    late = "" if seconds is None else f"{seconds:.0f} s after the first bad row. "
    return late + _said(signals_of(history), "no signal; a person reported it")


def _trigger(history: History) -> str:
    return "\n".join(cause.text for cause in history.causes.values() if cause.kind is CauseKind.TRIGGER)


def _resolution(history: History) -> str:
    steps = history.case.plan.steps if history.case.plan else ()
    return "\n".join(f"{step.purpose} {step.target}: {step.summary}" for step in steps)


def _confidence(history: History) -> str:
    return _said(_of(history, Category.CONFIDENCE), "No signal on confidence was raised for what it touches.")


def _drift(history: History) -> str:
    return _said(_of(history, Category.DATA_DRIFT), "No signal on drift was raised for what it touches.")


_KNOWN = {
    "summary": _summary,
    "impact": _impact,
    "detection": _detection,
    "trigger": _trigger,
    "resolution": _resolution,
    "confidence": _confidence,
    "drift": _drift,
}


def _text(text: str) -> str:
    """Return TOML for a text; several lines stay several lines."""
    safe = "".join(c if c == "\n" or c.isprintable() else "�" for c in text)
    safe = safe.replace("\\", "\\\\").replace('"', '\\"')
    return f'"""\n{safe}"""' if "\n" in safe else f'"{safe}"'


def read(path: Path) -> WritePostMortem:
    """Return what a file of a post-mortem says; HeadgateError with one sentence where it is none."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE + 1)
    except OSError as error:
        raise HeadgateError(f"{path} cannot be read: {error.strerror}") from None
    if len(data) > MAX_FILE:
        raise HeadgateError(f"{path} has more than {MAX_FILE} bytes")
    try:
        said = tomllib.loads(data.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise HeadgateError(f"{path} is no TOML file: {str(error)[:200]}") from None
    wanted = {"incident", *PARTS}
    if wrong := sorted(wanted.symmetric_difference(said)):
        raise HeadgateError(f"{path}: {clean(wrong[0][:80])} is {'missing' if wrong[0] in wanted else 'not known'}")
    if not all(isinstance(text, str) for text in said.values()):
        raise HeadgateError(f"{path}: every part is a text")
    text = PostMortem(**{part: said[part].strip() for part in PARTS})
    return WritePostMortem(incident=said["incident"], text=text)

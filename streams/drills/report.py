"""The reports of drills as files: one directory for each, and an overview of a run, by the renderers of all reports."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from agents.drills.played import Played
from agents.drills.score import Scorecard
from agents.reports.document import Report
from schemas.errors import HeadgateError
from streams.reports.made import FORMATS, document, written
from streams.reports.sheet import Sheet
from streams.view.drill_report import overview, report, verdict
from streams.view.rendering import jsonable


def write_report(played: Played, card: Scorecard, directory: Path) -> list[Path]:
    """Write report.json, .md, .html and .pdf of one drill; HeadgateError where that cannot be done."""
    return write(report(played, card), directory, "report", score_document(card), at=played.ended_at)


def write_overview(every: Sequence[tuple[Played, Scorecard]], directory: Path) -> list[Path]:
    """Write overview.json, .md, .html and .pdf of the drills of one run."""
    cards = [score_document(card) for _, card in every]
    ended = max((played.ended_at for played, _ in every), default=0)
    return write(overview(every), directory, "overview", {"drills": cards}, at=ended)


def score_document(card: Scorecard) -> dict[str, Any]:
    """Return a score for programs."""
    found: dict[str, Any] = jsonable(card)
    return {**found, "passed": card.passed, "verdict": verdict(card)}


def write(told: Report, directory: Path, stem: str, score: Mapping[str, Any], at: int = 0) -> list[Path]:
    """Write a report of an exercise in each format, with its score in the one for programs."""
    sheet = Sheet(report=told, kind="drill report", at=at)
    paths = []
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for form in FORMATS:
            path = directory / f"{stem}.{form}"
            if form == "json":
                text = json.dumps({**document(sheet), "score": score}, indent=2, ensure_ascii=False) + "\n"
                path.write_text(text, "utf-8")
            else:
                path.write_bytes(written(sheet, form))
            paths.append(path)
    except OSError as error:
        raise HeadgateError(f"the report cannot be written to {directory}: {error.strerror}") from None
    return paths

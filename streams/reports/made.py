"""A report of an open ledger's incident, in the format that was asked for."""

import json
from collections.abc import Mapping
from typing import Any

from agents.ledger.case import Case
from agents.reports.record import record
from streams.reports.markdown import markdown
from streams.reports.sheet import Seal, Sheet, sheet
from streams.reports.web import page
from streams.view.asking import OpenLedger
from streams.view.rendering import jsonable

FORMATS = ("md", "html", "pdf", "json")


def made(ledger: OpenLedger, case: Case, form: str, names: Mapping[str, str]) -> Sheet:
    """Return the report of a case; HeadgateError where there is no such form."""
    seal = seal_of(ledger)
    entries = ledger.entries
    return sheet(form, record(case, entries, ledger.state.control, names), entries, seal, names)


def seal_of(ledger: OpenLedger) -> Seal:
    """Return what a report of this ledger rests on."""
    control, covers = ledger.state.control, ledger.checkpoint
    return Seal(ledger=control.ledger, genesis=control.genesis, size=covers.size, root=covers.root.hex())


def written(found: Sheet, form: str) -> bytes:
    """Return a report in one of FORMATS; HeadgateError where a PDF could not be set."""
    match form:
        case "html":
            return page(found).encode()
        case "pdf":
            from streams.reports.pdf import pdf

            return pdf(found)
        case "json":
            return (json.dumps(document(found), indent=2, ensure_ascii=False) + "\n").encode()
        case _:
            return markdown(found).encode()


def document(found: Sheet) -> dict[str, Any]:
    """Return a report for programs: every answer with its status, and the timeline."""
    report = found.report
    told: dict[str, Any] = jsonable(report)
    for part, filled in zip(told["parts"], report.parts, strict=True):
        part["answers"] = [{**jsonable(answer), "status": answer.status} for answer in filled.answers]
    told["facts"] = dict(report.facts)
    told["timeline"] = [
        {"at": one.at, "entry": one.entry, "event": one.event, "sentence": one.sentence} for one in found.lines
    ]
    told["seal"] = jsonable(found.seal)
    return told

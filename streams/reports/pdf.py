"""A report as PDF, set by Typst from a template of ours; the record reaches it as data, never as markup."""

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from agents.reports.document import Answer, Part, Report
from schemas.errors import HeadgateError
from streams.reports.places import places
from streams.reports.sheet import Sheet
from streams.view.rendering import clean, when

_NARROWEST, _WIDEST = 10, 45
_TEMPLATE = Path(__file__).with_name("report.typ")


def pdf(sheet: Sheet) -> bytes:
    """Return the report as PDF/UA-1; the same record gives the same bytes with the same Typst and fonts.

    Letters of a script for which neither we nor the machine have a font stand as boxes that name the script.

    Raises
    ------
    HeadgateError
        Typst could not set it.
    """
    given = {"data": json.dumps(inputs(sheet), ensure_ascii=False)}
    try:
        return _set(given, sheet.at, ())
    except HeadgateError:  # PDF/UA forbids a letter without a shape
        import matplotlib as mpl

        # Its fonts have letters that those within Typst lack, and for all others the Unicode Consortium's last resort.
        return _set(given, sheet.at, (Path(mpl.get_data_path()) / "fonts" / "ttf",))


def _set(given: dict[str, str], at: int, fonts: Sequence[Path]) -> bytes:
    import typst

    try:
        known = typst.Fonts(font_paths=list(fonts))
        compiler = typst.Compiler(_TEMPLATE.read_bytes(), font_paths=known, sys_inputs=given)
        made = compiler.compile(format="pdf", timestamp=at // 1000, pdf_standards="ua-1")
    except typst.TypstError as error:
        raise HeadgateError(f"the PDF could not be set: {error}") from None
    if not isinstance(made, bytes):
        raise HeadgateError("the PDF could not be set: Typst made no single file")
    return made


def inputs(sheet: Sheet) -> dict[str, Any]:
    """Return all that the template is given: nothing else of the record can stand in the PDF."""
    report: Report = sheet.report
    return {
        "kind": sheet.kind,
        "title": clean(report.title),
        "basis": clean(report.basis),
        "facts": [[name, clean(value)] for name, value in report.facts],
        "notices": [clean(notice) for notice in report.notices],
        "parts": [
            {
                "title": " ".join(text for text in (part.number, part.title) if text),
                "text": [clean(text) for text in part.text],
                "answers": [_answer(answer) for answer in part.answers],
                "columns": list(part.columns),
                "widths": _widths(part),
                "rows": [[clean(cell) for cell in row] for row in part.rows],
            }
            for part in report.parts
        ],
        "chart": sheet.chart,
        "chart_says": clean(sheet.chart_says),
        "lines": [[when(one.at), clean(one.sentence), str(one.entry)] for one in sheet.lines],
        "left_out": sheet.left_out,
        "seal": sheet.seal.sentence() if sheet.seal else "",
        "date": time.strftime("%Y-%m-%d", time.gmtime(sheet.at // 1000)) if sheet.at else "",
    }


def _widths(part: Part) -> list[int]:
    """Return the columns' shares of the line: their longest cell in characters, within bounds."""
    rows = [part.columns, *part.rows]
    return [min(max(_NARROWEST, *(len(row[at]) for row in rows)), _WIDEST) for at in range(len(part.columns))]


def _answer(answer: Answer) -> dict[str, Any]:
    return {
        "number": answer.number,
        "label": answer.label,
        "hint": answer.hint,
        "value": [clean(line) for line in answer.value.split("\n") if line],
        "unknown": clean(answer.unknown),
        "entries": places(answer.entries),
    }

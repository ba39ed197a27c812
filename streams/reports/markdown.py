"""A report as Markdown; what comes from elsewhere can break neither table nor terminal."""

from collections.abc import Iterator, Sequence

from agents.reports.document import Answer, Part
from streams.reports.places import places
from streams.reports.sheet import Sheet
from streams.view.rendering import clean, when


def markdown(sheet: Sheet) -> str:
    """Return the report."""
    report = sheet.report
    lines = [f"# {_marked(report.title)}", "", f"*{_marked(report.basis)}*", ""]
    lines += [f"> **{_marked(notice)}**  " for notice in report.notices]
    lines += ["", *_table(("", ""), report.facts)]
    for part in report.parts:
        lines += _part(part)
    if sheet.chart_says:
        lines += ["", "## Measurement", "", _marked(sheet.chart_says)]
    if sheet.lines:
        lines += ["", "## Timeline", ""]
        rows = [(when(one.at), one.sentence, str(one.entry)) for one in sheet.lines]
        lines += _table(("Time", "What", "Entry"), rows)
        lines += ["", _marked(f"{sheet.left_out} further events are in the ledger.")]
    if sheet.seal:
        lines += ["", "---", "", _marked(sheet.seal.sentence())]
    return "\n".join([*lines, ""])


def _part(part: Part) -> Iterator[str]:
    yield ""
    yield f"## {_marked(' '.join(text for text in (part.number, part.title) if text))}"
    yield ""
    for text in part.text:
        yield f"{_marked(text)}  "
    if part.text and (part.answers or part.columns):
        yield ""
    if part.answers:
        yield from _table(("No.", "Field", "Answer", "Entries"), [_row(answer) for answer in part.answers])
    if part.columns:
        yield from _table(part.columns, part.rows)


def _row(answer: Answer) -> tuple[str, str, str, str]:
    said = [answer.value] if answer.value else []
    said += [f"Unknown: {answer.unknown}"] if answer.unknown else []
    label = f"{answer.label} ({answer.hint})" if answer.hint else answer.label
    return answer.number, label, "\n".join(said), places(answer.entries)


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(columns)} |"
    yield f"| {' | '.join('---' for _ in columns)} |"
    for row in rows:
        yield f"| {' | '.join(_cell(cell) for cell in row)} |"


def _cell(text: str) -> str:
    return "<br>".join(_marked(line) for line in text.split("\n"))


def _marked(text: str) -> str:
    safe = clean(text).replace("\\", "\\\\")
    for mark in "|<>*_`[]#":
        safe = safe.replace(mark, f"\\{mark}")
    return safe

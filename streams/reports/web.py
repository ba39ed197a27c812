"""A report as one HTML file that loads nothing and prints well."""

import html
from collections.abc import Iterator

from agents.reports.document import Answer, Part
from streams.reports.places import places
from streams.reports.sheet import Sheet
from streams.view.rendering import clean, when

_STYLE = """
body{font:16px/1.5 Georgia,"Times New Roman",serif;max-width:52rem;margin:2rem auto;padding:0 1rem;color:#1b1f24}
h1{font-size:1.7rem;line-height:1.2;margin:0 0 .2rem}h2{font-size:1.15rem;margin:1.8rem 0 .4rem;color:#1f4e79}
.basis{color:#4b5763;margin:0 0 1rem}.notice{border-left:4px solid #b7791f;background:#fff8e6;padding:.5rem .9rem}
.notice p{margin:.2rem 0}dl{display:grid;grid-template-columns:9rem 1fr;gap:.1rem 1rem;margin:1rem 0}
dt{color:#4b5763}dd{margin:0;overflow-wrap:anywhere}table{border-collapse:collapse;width:100%;font-size:.92rem}
th,td{border-bottom:1px solid #d7dde3;padding:.35rem .5rem;text-align:left;vertical-align:top;overflow-wrap:anywhere}
th{background:#eef2f6}td.no,td.at{white-space:nowrap;color:#4b5763}td p{margin:0 0 .2rem}
.hint{color:#4b5763;font-size:.85rem}.unknown{color:#8a3a12;font-style:italic}svg{width:100%;height:auto}
footer{margin-top:2rem;border-top:1px solid #d7dde3;padding-top:.6rem;font-size:.8rem;color:#4b5763;
overflow-wrap:anywhere}
@media print{body{margin:0;max-width:none;font-size:10.5pt}tr,figure{break-inside:avoid}h2{break-after:avoid}
thead{display:table-header-group}@page{size:A4;margin:20mm 18mm}}
"""


def page(sheet: Sheet) -> str:
    """Return the report."""
    report = sheet.report
    body = [
        f"<h1>{_safe(report.title)}</h1><p class=basis>{_safe(report.basis)}</p>",
        f"<div class=notice>{''.join(f'<p>{_safe(notice)}</p>' for notice in report.notices)}</div>",
        f"<dl>{''.join(f'<dt>{_safe(name)}</dt><dd>{_safe(value)}</dd>' for name, value in report.facts)}</dl>",
    ]
    for part in report.parts:
        body += _part(part)
    if sheet.chart:
        body.append(f"<h2>Measurement</h2><figure>{sheet.chart}</figure><p>{_safe(sheet.chart_says)}</p>")
    if sheet.lines:
        rows = [(when(one.at), one.sentence, str(one.entry)) for one in sheet.lines]
        body.append("<h2>Timeline</h2>")
        body.append(_table(("Time", "What", "Entry"), rows))
        body.append(f"<p>{sheet.left_out} further events are in the ledger.</p>")
    if sheet.seal:
        body.append(f"<footer>{_safe(sheet.seal.sentence())}</footer>")
    head = (
        '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{_safe(report.title)}</title><style>{_STYLE}</style>"
    )
    return f"{head}{''.join(body)}</html>\n"


def _part(part: Part) -> Iterator[str]:
    yield f"<h2>{_safe(' '.join(text for text in (part.number, part.title) if text))}</h2>"
    for text in part.text:
        yield f"<p>{_safe(text)}</p>"
    if part.answers:
        yield "<table><thead><tr><th>No.</th><th>Field</th><th>Answer</th><th>Entries</th></tr></thead>"
        yield from (_answer(answer) for answer in part.answers)
        yield "</table>"
    if part.columns:
        yield _table(part.columns, part.rows)


def _answer(answer: Answer) -> str:
    hint = f"<div class=hint>{_safe(answer.hint)}</div>" if answer.hint else ""
    value = "".join(f"<p>{_safe(line)}</p>" for line in answer.value.split("\n") if line)
    unknown = f"<p class=unknown>Unknown: {_safe(answer.unknown)}</p>" if answer.unknown else ""
    return (
        f"<tr><td class=no>{_safe(answer.number)}</td><td>{_safe(answer.label)}{hint}</td><td>{value}{unknown}</td>"
        f"<td>{places(answer.entries)}</td></tr>"
    )


def _table(columns: tuple[str, ...], rows: tuple[tuple[str, ...], ...] | list[tuple[str, str, str]]) -> str:
    head = "".join(f"<th>{_safe(column)}</th>" for column in columns)
    body = "".join(f"<tr>{''.join(f'<td>{_safe(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead>{body}</table>"


def _safe(text: str) -> str:
    return html.escape(clean(text))

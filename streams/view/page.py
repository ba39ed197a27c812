"""A report as Markdown or as one HTML file: sections of text and tables, and drawings as SVG within it."""

import html
from collections.abc import Sequence
from dataclasses import dataclass

from streams.view.rendering import clean

_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1b1f24}"
    "table{border-collapse:collapse;margin:.5rem 0 1.5rem}th,td{border:1px solid #d0d7de;padding:.25rem .6rem;"
    "text-align:left;vertical-align:top}th{background:#f6f8fa}svg{max-width:100%;height:auto}"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A part of a report: a sentence, and a table where it has columns; `empty` stands where the table has no row."""

    title: str
    text: str = ""
    columns: tuple[str, ...] = ()
    rows: Sequence[Sequence[str]] = ()
    empty: str = "none"


def markdown(title: str, sections: Sequence[Section]) -> str:
    """Return a report as Markdown; what comes from elsewhere can break neither table nor terminal."""
    lines = [f"# {_marked(title)}"]
    for section in sections:
        lines += ["", f"## {_marked(section.title)}", ""]
        if section.text:
            lines += [_marked(section.text), ""]
        if section.columns and section.rows:
            lines.append(_row(section.columns))
            lines.append(_row(["---"] * len(section.columns)))
            lines += [_row([_marked(cell) for cell in row]) for row in section.rows]
        elif section.columns:
            lines.append(section.empty)
    return "\n".join([*lines, ""])


def page(title: str, sections: Sequence[Section], drawings: Sequence[str] = ()) -> str:
    """Return a report as one HTML file that loads nothing; `drawings` are SVG elements of our own making."""
    body = [f"<h1>{_safe(title)}</h1>", *drawings]
    for section in sections:
        body.append(f"<h2>{_safe(section.title)}</h2>")
        if section.text:
            body.append(f"<p>{_safe(section.text)}</p>")
        if section.columns and section.rows:
            head = "".join(f"<th>{_safe(column)}</th>" for column in section.columns)
            rows = ("".join(f"<td>{_safe(cell)}</td>" for cell in row) for row in section.rows)
            body.append(f"<table><tr>{head}</tr>{''.join(f'<tr>{row}</tr>' for row in rows)}</table>")
        elif section.columns:
            body.append(f"<p>{_safe(section.empty)}</p>")
    head = f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{_safe(title)}</title><style>{_STYLE}</style>'
    return f"{head}{''.join(body)}</html>\n"


def _safe(text: str) -> str:
    return html.escape(clean(text))


def _marked(text: str) -> str:
    safe = clean(text).replace("\\", "\\\\")
    for mark in "|<>*_`[]#":
        safe = safe.replace(mark, f"\\{mark}")
    return safe


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"

"""What a profile says of itself, as JSON, as text, and drawn."""

from pathlib import Path
from typing import Any

import click
import numpy as np

from agents.detection import reference
from agents.detection.profile import Profile
from agents.detection.reference import Reference
from agents.detection.sample import BAD
from schemas.errors import SchemaError
from streams.view.rendering import clean, jsonable, table, when


def document(known: Reference, data: bytes) -> dict[str, Any]:
    """Return all that a profile says that a person can read; `data` is its file."""
    profile = _profile(known)
    columns = [
        {
            "name": facet.name,
            "role": facet.role,
            "kind": "text" if facet.text else "number",
            "bins": int(profile.used[i].sum()),
            "low": _finite(profile.low[i]),
            "high": _finite(profile.high[i]),
            "unusable": {kind: int(count) for kind, count in zip(BAD, profile.bad[i], strict=True) if count},
            "categories": len(facet.categories),
        }
        for i, facet in enumerate(profile.facets)
    ]
    return {
        "digest": reference.digest(data),
        "bytes": len(data),
        "model": known.model,
        "version": known.version,
        "rows": known.rows,
        "at_from": known.at_from,
        "at_to": known.at_to,
        "source": known.source,
        "policy": known.policy,
        "columns": columns,
        "learnt": [part.name for part in known.learnt.whole.parts],
        "findings": jsonable(known.findings),
    }


def say(found: dict[str, Any]) -> None:
    """Print it for a person."""
    click.echo(f"profile {found['digest']} ({found['bytes']} bytes)")
    click.echo(clean(f"  {found['model']} version {found['version']}, learnt from {found['rows']} rows"))
    click.echo(f"  from {when(found['at_from'])} to {when(found['at_to'])} under policy {found['policy'][:16]}\n")
    rows = [
        [
            clean(one["name"]),
            one["role"],
            one["kind"],
            str(one["categories"] or one["bins"]),
            "" if one["low"] is None else f"{one['low']:.4g}",
            "" if one["high"] is None else f"{one['high']:.4g}",
            ", ".join(f"{count} {kind}" for kind, count in one["unusable"].items()),
        ]
        for one in found["columns"]
    ]
    table(("column", "role", "kind", "bins", "from", "to", "unusable"), rows, "no column is watched")
    click.echo()
    told = [[one["kind"], clean(one["subject"]), clean(one["summary"])] for one in found["findings"]]
    table(("finding", "of", "what"), told, "nothing peculiar was found")


def draw(known: Reference, path: Path) -> None:
    """Draw each feature's histogram to a PNG, SVG or HTML file, by the ending of its name."""
    from matplotlib.figure import Figure

    profile = _profile(known)
    shown = [i for i, facet in enumerate(profile.facets) if profile.used[i].sum() > 1][:48]
    figure = Figure(figsize=(12, 2.2 * max(-(-len(shown) // 4), 1)), layout="constrained")
    for place, i in enumerate(shown, 1):
        axes = figure.add_subplot(-(-len(shown) // 4), 4, place)
        counts = profile.counts[i][profile.used[i]]
        axes.bar(np.arange(len(counts)), counts)
        axes.set_title(profile.facets[i].name[:40], fontsize=8)
        axes.tick_params(labelsize=6)
    if path.suffix == ".html":
        import io

        drawn = io.StringIO()
        figure.savefig(drawn, format="svg")
        path.write_text(f"<!doctype html><meta charset=utf-8>{drawn.getvalue()}", "utf-8")
    else:
        figure.savefig(path)


def _profile(known: Reference) -> Profile:
    if known.learnt.profile is None:
        raise SchemaError("the profile has learnt nothing")
    return Profile.of_state(known.learnt.profile)


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None

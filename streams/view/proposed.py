"""A proposed policy: the document in force with the settings changed that verdicts speak for, and what it changes."""

import difflib
from collections.abc import Sequence
from typing import Any

import click
import tomlkit

from agents.feedback.knobs import setting
from agents.feedback.proposal import Change, Proposal
from schemas import policy
from schemas.errors import HeadgateError, PolicyError
from streams.view.rendering import clean, jsonable, table


def edited(document: str, changes: Sequence[Change]) -> str:
    """Return a policy document with settings changed, and all else (comments too) as it was.

    Raises
    ------
    HeadgateError
        The result would not be a policy that says exactly this.
    """
    tree: Any = tomlkit.parse(document)
    for change in changes:
        place = tree.setdefault("detection", tomlkit.table())
        if change.rule:
            place = next(rule for rule in place["when"] if rule["name"] == change.rule)["thresholds"]
        for name in change.path[:-1]:
            place = place.setdefault(name, tomlkit.inline_table())
        place[change.path[-1]] = change.after
    text = tomlkit.dumps(tree)
    try:
        found = policy.read(text.encode(), "the proposal")
    except PolicyError as error:
        raise HeadgateError(f"the proposed settings make no valid policy: {error}") from None
    for change in changes:
        if setting(found, change.rule, change.path) != change.after:
            raise HeadgateError(f"{named(change)} could not be set in the document; set it to {change.after} by hand")
    return text


def named(change: Change) -> str:
    """Return a setting as it is called in the policy document."""
    where = f"detection.when {change.rule}: thresholds" if change.rule else "detection"
    return ".".join((where, *change.path))


def difference(before: str, after: str) -> str:
    """Return what differs between two documents, as `diff -u` says it."""
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), "in force", "proposed", lineterm="")
    return "\n".join(clean(line) for line in lines)


def sentence(found: Proposal) -> str:
    """Return what a proposal says in a sentence."""
    if not found.changes:
        return f"{found.judged} verdicts on signals speak for no other threshold."
    changes = "; ".join(f"{named(one)} {one.before:g} to {one.after:g}" for one in found.changes)
    return f"{found.judged} verdicts on signals speak for: {changes}."


def show(found: Proposal) -> None:
    """Print a proposal: each setting, what would have been quiet, and what stays."""
    rows = [
        [
            named(one),
            f"{one.before:g}",
            f"{one.after:g}",
            str(len(one.quiet)),
            str(one.kept),
            "–" if one.nearest is None else f"{one.nearest:.4g}",
        ]
        for one in found.changes
    ]
    heads = ("setting", "now", "proposed", "false incidents", "true signals kept", "nearest of them")
    table(heads, rows, f"the {found.judged} verdicts speak for no other threshold")
    if found.unmeasured:
        click.echo(f"{found.unmeasured} false or benign signals were measured against no setting of their own")


def document(found: Proposal) -> dict[str, Any]:
    """Return a proposal for JSON."""
    return {**jsonable(found), "changes": [{"setting": named(one), **jsonable(one)} for one in found.changes]}

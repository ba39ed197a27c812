"""A systems document as a first draft, from what a model registry holds: people fill in what no registry knows."""

import json
import re
from collections.abc import Sequence

from schemas import systems
from schemas.errors import PolicyError
from streams.targets.mlflow_inventory import Registered

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,127}", re.ASCII)
_ALIAS = re.compile(r"[\w.-]{1,128}", re.ASCII)
_SERVING = ("champion", "production", "prod", "live")
_MAX_SCOPE = 500
_HEAD = """\
# A draft from a model registry: nobody has said yet what these systems decide, who owns them, whom they touch, and
# whether a third party provides them. Say it here (owner, tier, sensitivity, third_party, vendor, jurisdictions,
# regulations, operator_role, protected_groups; traffic, depends_on and fallback of each model), then
# `headgate systems check FILE` and `headgate systems adopt FILE --as admin`.
version = 1
"""


def draft(models: Sequence[Registered]) -> str:
    """Return a valid document: a system of the strictest tier for each model, and a comment for each that cannot be."""
    parts = [_HEAD, *(_system(model) for model in models)]
    document = "\n".join(parts)
    systems.read(document.encode(), "the draft")
    return document


def _system(model: Registered) -> str:
    if not _NAME.fullmatch(model.name):
        return (
            f"# left out: {_quoted(model.name[:80])} is no name here; write small letters, digits and . _ -, and "
            "name the registered model in `registry`\n"
        )
    key = _quoted(model.name)
    lines = [
        f"[systems.{key}]",
        f"scope = {_quoted(_scope(model))}",
        'owner = "ml_manager"',
        f'tier = "{systems.STRICTEST_TIER}"',
        'sensitivity = "personal"',
        "third_party = false",
        "",
        f"[systems.{key}.models.{key}]",
        f"versions = {_list(model.versions)}",
    ]
    alias = next((name for name in (*_SERVING, *sorted(model.aliases)) if name in model.aliases), "")
    if _ALIAS.fullmatch(alias):
        good = model.aliases[alias]
        if good not in model.versions:
            lines[-1] = f"versions = {_list([good, *model.versions])}"
        lines.append(f"known_good = {_quoted(good)}  # what the alias {alias} names now: is it known to be good?")
        lines.append(f"registry = {_quoted(f'mlflow:{model.name}/{alias}')}")
    return "\n".join(lines) + "\n"


def _scope(model: Registered) -> str:
    return " ".join(model.description.split())[:_MAX_SCOPE] or "not said yet"


def _quoted(text: str) -> str:
    """Return a TOML string: what TOML does not allow in one is a blank."""
    return json.dumps("".join(char if char.isprintable() else " " for char in text), ensure_ascii=False)


def _list(texts: Sequence[str]) -> str:
    return f"[{', '.join(_quoted(text) for text in texts)}]"


def fitting(models: Sequence[Registered]) -> tuple[str, int]:
    """Return the draft of as many models as one document holds, and how many were left out; PolicyError where none."""
    for count in range(len(models), -1, -1):
        try:
            return draft(models[:count]), len(models) - count
        except PolicyError:
            if count == 0:
                raise
    raise AssertionError  # the loop returns or raises

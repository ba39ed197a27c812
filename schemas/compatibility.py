"""Whether record classes, committed schemas and pinned ids agree, and each record with all its earlier versions.

The rule is Confluent's FULL_TRANSITIVE, and a little stricter: whatever was written stays readable, and old
readers can read what is written next. Fields come and go only with a default; nothing changes its type or name.
"""

import json
from dataclasses import dataclass, field
from typing import Any

from schemas import avro
from schemas.catalogue import Catalogue, Versions
from schemas.errors import SchemaError


def differences(old: avro.Schema, new: avro.Schema) -> list[str]:
    """Return a sentence for each way in which two versions of one record cannot read each other."""
    return _records(old, new, new["name"], _Names({}, {}, set()))


def findings(catalogue: Catalogue) -> list[str]:
    """Return a sentence for each disagreement between classes, .avsc files and ids.toml; none means all is well."""
    found = [
        f"{name} has a schema but no class; records written under it cannot be read"
        for name in catalogue.versions
        if name not in catalogue.classes
    ]
    for name, cls in catalogue.classes.items():
        try:
            found += _findings(catalogue, name, cls)
        except SchemaError as error:
            found.append(str(error))
    return found


@dataclass
class Draft:
    """What `headgate schemas generate` would write: the new ids.toml table, files to write and files to remove."""

    versions: Versions
    files: dict[str, str] = field(default_factory=dict)
    gone: list[str] = field(default_factory=list)


def draft(catalogue: Catalogue, released: frozenset[str] | None) -> Draft:
    """Return what brings the committed schemas in line with the classes.

    released
        Names of .avsc files that are part of a release and never change; None when every committed file is.
    """
    plan = Draft({name: dict(row) for name, row in catalogue.versions.items()})
    for name, row in catalogue.versions.items():
        files = [f"{name}.{version}.avsc" for version in row]
        if name not in catalogue.classes and released is not None and released.isdisjoint(files):
            plan.gone += files
            del plan.versions[name]
    for name, cls in catalogue.classes.items():
        row = plan.versions.setdefault(name, {})
        schema = avro.schema_of(cls)
        version = _version_for(catalogue, name, schema, released)
        if version not in row:
            taken = [
                number for other in (*catalogue.versions.values(), *plan.versions.values()) for number in other.values()
            ]
            row[version] = max(taken, default=0) + 1
        if _committed(catalogue, name, version) != schema:
            plan.files[f"{name}.{version}.avsc"] = text_of(schema)
    return plan


def _version_for(catalogue: Catalogue, name: str, schema: avro.Schema, released: frozenset[str] | None) -> int:
    newest = max(catalogue.versions.get(name, {1: 0}))
    old = _committed(catalogue, name, newest)
    if old is None or (released is not None and f"{name}.{newest}.avsc" not in released):
        return newest
    if why := "; ".join(differences(old, schema)):
        raise SchemaError(f"{name} cannot change so ({why}); before its release: --unreleased")
    return newest if avro.canonical(old) == avro.canonical(schema) else newest + 1


def text_of(schema: avro.Schema) -> str:
    """Return a schema as its .avsc file holds it."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _committed(catalogue: Catalogue, name: str, version: int) -> avro.Schema | None:
    try:
        return catalogue.schema(name, version)
    except SchemaError:
        return None


def _findings(catalogue: Catalogue, name: str, cls: type) -> list[str]:
    row = catalogue.versions.get(name)
    if not row:
        return [f"{name} has no schema id; run `make schemas`"]
    if sorted(row) != list(range(1, len(row) + 1)):
        return [f"ids.toml skips a version of {name}: it lists {sorted(row)}"]
    current = avro.schema_of(cls)
    schemas = {version: catalogue.schema(name, version) for version in row}
    found = []
    if schemas[max(row)] != current:
        found.append(f"class {name} and {name}.{max(row)}.avsc disagree; run `make schemas`")
    for version in sorted(row)[:-1]:
        found += [f"{name}.{version}.avsc: {why}" for why in differences(schemas[version], current)]
    return found


@dataclass(frozen=True, slots=True)
class _Names:
    """Records met so far on either side, and pairs already compared."""

    old: dict[str, Any]
    new: dict[str, Any]
    done: set[str]


def _records(old: avro.Schema, new: avro.Schema, where: str, names: _Names) -> list[str]:
    names.old[old["name"]], names.new[new["name"]] = old, new
    if old["name"] != new["name"]:
        return [f"{where} was a {old['name']} and is a {new['name']}"]
    if new["name"] in names.done:
        return []
    names.done.add(new["name"])
    before = {entry["name"]: entry for entry in old["fields"]}
    after = {entry["name"]: entry for entry in new["fields"]}
    found = []
    for key, entry in after.items():
        if key not in before:
            if "default" not in entry:
                found.append(f"{where}.{key} was added without a default")
            continue
        found += _types(before[key]["type"], entry["type"], f"{where}.{key}", names)
        if before[key].get("default", ...) != entry.get("default", ...):
            found.append(f"{where}.{key} changed its default")
    found += [
        f"{where}.{key} was removed but had no default, so old readers fail"
        for key, entry in before.items()
        if key not in after and "default" not in entry
    ]
    return found


def _types(old: Any, new: Any, where: str, names: _Names) -> list[str]:
    old = names.old.get(old, old) if isinstance(old, str) else old
    new = names.new.get(new, new) if isinstance(new, str) else new
    if isinstance(old, list) and isinstance(new, list):
        return _types(old[1], new[1], where, names)
    if isinstance(old, dict) and isinstance(new, dict) and old["type"] == new["type"]:
        if old["type"] == "record":
            return _records(old, new, where, names)
        if old["type"] == "array":
            return _types(old["items"], new["items"], f"{where}[]", names)
    return [] if old == new else [f"{where} changed its type from {_said(old)} to {_said(new)}"]


def _said(kind: Any) -> str:
    if isinstance(kind, list):
        return f"{_said(kind[1])} or null"
    if isinstance(kind, dict):
        return str(kind.get("logicalType") or kind.get("name") or kind["type"])
    return str(kind)

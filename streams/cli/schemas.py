"""`headgate schemas`: the records that Headgate writes, and whether classes, .avsc files and ids agree."""

import subprocess
from pathlib import Path

import click

import schemas
from schemas import catalogue, compatibility
from schemas.avro import fingerprint
from schemas.errors import SchemaError

FOLDER = Path(schemas.__file__).parent / "avro"


@click.group(name="schemas")
def command() -> None:
    """List, check and generate the Avro schemas of every record."""


@command.command(name="list")
def listing() -> None:
    """Print schema id, record, version and fingerprint of every record."""
    for number, cls in sorted(catalogue.RECORDS, key=lambda row: row[0]):
        version = max(catalogue.CATALOGUE.versions[cls.__name__])
        click.echo(f"{number:5d}  {cls.__name__}.{version:<3d} {fingerprint(cls).hex()}")


@command.command()
def check() -> None:
    """Exit 1 when a class and its .avsc differ, a version is incompatible, or ids.toml disagrees."""
    found = compatibility.findings(catalogue.CATALOGUE)
    strays = sorted(path.name for path in FOLDER.glob("*.avsc") if path.name not in _pinned())
    found += [f"{name} has no id in ids.toml" for name in strays]
    if found:
        raise SchemaError("schemas disagree:\n  " + "\n  ".join(found))
    click.echo(f"{len(catalogue.RECORDS)} records agree with their schemas and earlier versions")


@command.command()
@click.option("--unreleased", is_flag=True, help="Overwrite versions that are in no git tag, and drop lost ones.")
def generate(*, unreleased: bool) -> None:
    """Write .avsc files and ids.toml from the record classes.

    A new record gets a new id; a record that changed compatibly gets a new version and a new id.
    """
    plan = compatibility.draft(catalogue.CATALOGUE, _released() if unreleased else None)
    for name in plan.gone:
        (FOLDER / name).unlink(missing_ok=True)
        click.echo(f"removed {name}")
    for name, text in plan.files.items():
        (FOLDER / name).write_text(text, encoding="utf-8")
        click.echo(f"wrote {name}")
    (FOLDER / "ids.toml").write_text(ids_text(plan.versions), encoding="utf-8")


def ids_text(versions: catalogue.Versions) -> str:
    """Return ids.toml for name → version → id, in the order of ids."""
    rows = sorted((number, name, version) for name, row in versions.items() for version, number in row.items())
    lines = ["# Schema ids, pinned for ever: Name.version = id. Written by `make schemas`."]
    return "\n".join([*lines, *(f"{name}.{version} = {number}" for number, name, version in rows), ""])


def _pinned() -> set[str]:
    versions = catalogue.CATALOGUE.versions
    return {f"{name}.{version}.avsc" for name, row in versions.items() for version in row}


def _released() -> frozenset[str]:
    """Return the names of the .avsc files that any git tag holds."""
    names: set[str] = set()
    for tag in _git("tag"):
        names.update(Path(line).name for line in _git("ls-tree", "--name-only", tag, "./"))
    return frozenset(names)


def _git(*arguments: str) -> list[str]:
    try:
        done = subprocess.run(["git", *arguments], cwd=FOLDER, capture_output=True, text=True, check=True)  # noqa: S607
    except (OSError, subprocess.CalledProcessError) as error:
        raise SchemaError(f"--unreleased needs git to know what is released: {error}") from None
    return done.stdout.splitlines()

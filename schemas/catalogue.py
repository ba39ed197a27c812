"""Which records exist, and the schema id and versions under which each is written.

`schemas/avro/ids.toml` pins ids, `schemas/avro/<Name>.<version>.avsc` keeps every schema for ever: bytes are read
under the schema that wrote them. Nothing is fetched from anywhere.
"""

import json
import tomllib
from collections.abc import Callable, Iterable, Mapping
from importlib import resources
from typing import Any

from schemas import avro, commands, deadletter, events, ledger, signals, state, telemetry
from schemas.errors import SchemaError
from schemas.reading import Reader, reader

CLASSES: tuple[type, ...] = (
    *telemetry.RECORDS,
    *signals.RECORDS,
    *commands.RECORDS,
    *events.RECORDS,
    *ledger.RECORDS,
    *state.RECORDS,
    *deadletter.RECORDS,
)
"""Every record class that is written to a topic or into the ledger, in no particular order."""

Versions = dict[str, dict[int, int]]


class Catalogue:
    """Record classes with their pinned schema ids.

    Parameters
    ----------
    classes
        Record classes; two of one name are refused.
    versions
        Name → version → id, as ids.toml holds it.
    read
        Returns the text of ``<Name>.<version>.avsc``.
    """

    def __init__(self, classes: Iterable[type], versions: Versions, read: Callable[[str], str]) -> None:
        self.versions = versions
        self._read = read
        self.classes = _by_name(classes)
        self._pins = _by_id(versions)
        self._prefixes = {
            cls: b"\0" + versions[name][max(versions[name])].to_bytes(4, "big")
            for name, cls in self.classes.items()
            if name in versions
        }
        self._readers: dict[int, tuple[type, Reader[Any]]] = {}
        self._written: dict[tuple[str, bytes], int] = {}
        self._fingerprints: dict[tuple[str, int], bytes] = {}

    def prefix(self, cls: type) -> bytes:
        """Return the five bytes that precede a record of this class: 0x00 and its schema id."""
        try:
            return self._prefixes[cls]
        except KeyError:
            raise SchemaError(f"{cls.__name__} has no pinned schema id; run `make schemas`") from None

    def by_id(self, number: int) -> tuple[type, Reader[Any]]:
        """Return the class and the reader of bytes written under a schema id."""
        if number not in self._readers:
            if number not in self._pins:
                raise SchemaError(f"schema id {number} is not in the catalogue")
            name, version = self._pins[number]
            self._readers[number] = self._reader(name, version)
        return self._readers[number]

    def by_fingerprint(self, name: str, fingerprint: bytes) -> tuple[type, Reader[Any]]:
        """Return the class and the reader of bytes written under the schema of this name and fingerprint."""
        return self.by_id(self.id_of(name, fingerprint))

    def id_of(self, name: str, fingerprint: bytes) -> int:
        """Return the id of the schema of this name and fingerprint."""
        key = (name, fingerprint)
        if key not in self._written:
            self._written[key] = self._find(name, fingerprint)
        return self._written[key]

    def file_of(self, number: int) -> tuple[str, str]:
        """Return the name of the file that holds the schema with this id, and its text."""
        if number not in self._pins:
            raise SchemaError(f"schema id {number} is not in the catalogue")
        name, version = self._pins[number]
        file = f"{name}.{version}.avsc"
        try:
            return file, self._read(file)
        except (OSError, ValueError) as error:
            raise SchemaError(f"schemas/avro/{file} cannot be read: {error}") from None

    def schema(self, name: str, version: int) -> avro.Schema:
        """Return a committed schema."""
        try:
            return dict(json.loads(self._read(f"{name}.{version}.avsc")))
        except (OSError, ValueError) as error:
            raise SchemaError(f"schemas/avro/{name}.{version}.avsc cannot be read: {error}") from None

    def _reader(self, name: str, version: int) -> tuple[type, Reader[Any]]:
        cls = self.classes.get(name)
        if cls is None:
            raise SchemaError(f"{name} is a record that no class reads any more")
        if version == max(self.versions[name]):
            return cls, avro.reader_of(cls)
        return cls, reader(self.schema(name, version), cls)

    def _fingerprint(self, name: str, version: int) -> bytes:
        if version == max(self.versions[name]) and name in self.classes:
            return avro.fingerprint(self.classes[name])
        if (name, version) not in self._fingerprints:
            self._fingerprints[name, version] = avro.schema_fingerprint(self.schema(name, version))
        return self._fingerprints[name, version]

    def _find(self, name: str, fingerprint: bytes) -> int:
        versions = self.versions.get(name, {})
        for version in sorted(versions, reverse=True):
            if self._fingerprint(name, version) == fingerprint:
                return versions[version]
        raise SchemaError(f"no schema of {name!r:.60} has the fingerprint {fingerprint.hex():.16}")


def load() -> Catalogue:
    """Return the catalogue of this package's own records."""
    folder = resources.files("schemas") / "avro"
    table = tomllib.loads((folder / "ids.toml").read_text(encoding="utf-8"))
    return Catalogue(CLASSES, versions_in(table), lambda name: (folder / name).read_text(encoding="utf-8"))


def versions_in(table: Mapping[str, Mapping[str, int]]) -> Versions:
    """Return name → version → id from the parsed ids.toml."""
    return {name: {int(version): number for version, number in row.items()} for name, row in table.items()}


def _by_name(classes: Iterable[type]) -> dict[str, type]:
    named: dict[str, type] = {}
    for cls in classes:
        if named.setdefault(cls.__name__, cls) is not cls:
            raise SchemaError(f"two record classes are named {cls.__name__}; rename one")
    return named


def _by_id(versions: Versions) -> dict[int, tuple[str, int]]:
    pins: dict[int, tuple[str, int]] = {}
    for name, row in versions.items():
        for version, number in row.items():
            if number in pins:
                raise SchemaError(f"ids.toml gives id {number} to {name}.{version} and to {pins[number][0]}")
            pins[number] = (name, version)
    return pins


CATALOGUE = load()

RECORDS: tuple[tuple[int, type], ...] = tuple(
    (int.from_bytes(CATALOGUE.prefix(cls)[1:], "big"), cls) for cls in CLASSES if cls.__name__ in CATALOGUE.versions
)
"""Schema id and class of the newest version of every record."""

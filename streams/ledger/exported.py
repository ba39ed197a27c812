"""An exported ledger: the files of the folder, and how such a folder is read from anybody's hands.

entries/000000, …
    256 leaves each, in order, each preceded by its length as 16 bits, big-endian (C2SP tlog-tiles, entry bundles). A
    leaf that no tile could hold (empty, or over 65,535 bytes; it is void) is preceded by 16 zero bits and its length as
    32 bits.
checkpoints
    Every checkpoint that the log signed, in the order in which they count; one a line, in canonical base64.
checkpoint
    The newest of them as text: what an auditor keeps, and gives with `--since` next time.
schemas/
    The Avro schemas of everything in the entries, so that they can be read without Headgate.
manifest.json
    Format, origin, genesis, size and the SHA-256 of each other file, as canonical JSON (RFC 8785).

Entries and checkpoints prove each other; all other bytes follow from them and are compared. So no byte is free.
"""

import json
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import BinaryIO

from schemas.catalogue import CATALOGUE
from schemas.errors import KeyRefusedError, LedgerError
from schemas.keys import decode_base64
from schemas.ledger import MAX_ENTRY_BYTES
from schemas.note import MAX_NOTE

FORMAT = "headgate-ledger-1"
BUNDLE = 256
MAX_LEAF_BYTES = 16 * 1024 * 1024
ENTRIES, CHECKPOINTS, CHECKPOINT, SCHEMAS, MANIFEST = "entries", "checkpoints", "checkpoint", "schemas", "manifest.json"
_MAX_LINE = MAX_NOTE * 4 // 3 + 8


def bundle(number: int) -> str:
    """Return the name of the file with the leaves from 256 × `number` on."""
    return f"{ENTRIES}/{number:06d}"


def pack(leaf: bytes) -> bytes:
    """Return a leaf with its length before it."""
    if 0 < len(leaf) <= MAX_ENTRY_BYTES:
        return len(leaf).to_bytes(2, "big") + leaf
    if len(leaf) > MAX_LEAF_BYTES:
        raise LedgerError(f"a record of {len(leaf)} bytes cannot be exported; the limit is {MAX_LEAF_BYTES}")
    return b"\0\0" + len(leaf).to_bytes(4, "big") + leaf


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What entries and checkpoints were found to say; the other files follow from it.

    schemas
        Name of each schema file, and the first entry that was written under it.
    """

    origin: str
    genesis: str
    size: int
    checkpoint: bytes
    schemas: Mapping[str, int] = field(default_factory=dict)
    texts: Mapping[str, bytes] = field(default_factory=dict)

    def files(self) -> dict[str, tuple[bytes, int]]:
        """Return the bytes of each file that follows, but the manifest, and the entry to name where it differs."""
        found = {f"{SCHEMAS}/{name}": (self.texts[name], index) for name, index in self.schemas.items()}
        return {CHECKPOINT: (self.checkpoint, self.size - 1), **found}

    def manifest(self, digests: Mapping[str, str]) -> bytes:
        """Return the manifest of files with these digests."""
        document = {
            "files": dict(digests),
            "format": FORMAT,
            "genesis": self.genesis,
            "origin": self.origin,
            "size": self.size,
        }
        return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def schema_file(number: int) -> tuple[str, bytes]:
    """Return name and bytes of the schema with this id."""
    name, text = CATALOGUE.file_of(number)
    return name, text.encode()


class _Counted:
    """A file whose bytes are hashed as they are read."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._hash = sha256()

    def read(self, size: int) -> bytes:
        data = self._file.read(size)
        self._hash.update(data)
        return data

    def line(self) -> bytes:
        data = self._file.readline(_MAX_LINE)
        self._hash.update(data)
        return data

    def digest(self) -> str:
        return self._hash.hexdigest()


class Folder:
    """An exported ledger. Whatever stands in the folder, reading it gives entries, or LedgerError with a sentence."""

    strict = True

    def __init__(self, path: Path) -> None:
        if not path.is_dir():
            raise LedgerError(f"{path} is no folder; `headgate audit export` makes one")
        self.path = path
        self.digests: dict[str, str] = {}

    @property
    def size(self) -> int:
        """About how many entries there are: a measure for progress, not a fact."""
        try:
            return sum(1 for _ in (self.path / ENTRIES).iterdir()) * BUNDLE
        except OSError:
            return 0

    def leaves(self) -> Iterator[tuple[int, bytes]]:
        """Yield each leaf with its index."""
        offset = 0
        for number in count():
            name = bundle(number)
            if number and not os.path.lexists(self.path / name):
                return
            if offset < number * BUNDLE:
                raise LedgerError(f"{bundle(number - 1)} holds fewer than {BUNDLE} entries, and {name} follows")
            with self._open(name) as file:
                while (leaf := _unpack(file, name)) is not None:
                    if offset == (number + 1) * BUNDLE:
                        raise LedgerError(f"{name} holds more than {BUNDLE} entries")
                    yield offset, leaf
                    offset += 1
                self.digests[name] = file.digest()

    def notes(self) -> Iterator[bytes]:
        """Yield each checkpoint in its order."""
        with self._open(CHECKPOINTS) as file:
            while line := file.line():
                try:
                    note = decode_base64(line[:-1].decode("ascii")) if line.endswith(b"\n") else b""
                except (UnicodeDecodeError, KeyRefusedError):
                    note = b""
                if not note:
                    raise LedgerError(f"a line of {CHECKPOINTS} is no checkpoint in base64")
                yield note
            self.digests[CHECKPOINTS] = file.digest()

    def finish(self, contents: Contents) -> None:
        """Compare every other file with what follows from entries and checkpoints; LedgerError where one differs."""
        last = contents.size - 1
        digests = {bundle(number): "" for number in range(-(-contents.size // BUNDLE))} | {CHECKPOINTS: ""}
        digests = {name: self.digests[name] for name in digests}
        for name, (data, index) in contents.files().items():
            self._require(name, data, index)
            digests[name] = sha256(data).hexdigest()
        self._require(MANIFEST, contents.manifest(digests), last)
        known = {MANIFEST, ENTRIES, SCHEMAS, *digests}
        for directory in ("", ENTRIES, SCHEMAS):
            for name in self._listed(directory):
                if name not in known:
                    raise LedgerError(f"{name[:100]!r} is no file of this export", last)

    def _require(self, name: str, data: bytes, index: int) -> None:
        try:
            with self._open(name) as file:
                found = file.read(len(data) + 1)
        except LedgerError as error:
            raise LedgerError(str(error), index) from None
        if found != data:
            raise LedgerError(f"{name} is not what follows from the other files", index)

    def _listed(self, directory: str) -> Iterator[str]:
        """Yield what stands in a directory of the export, relative to the folder."""
        path = self.path / directory
        try:
            if directory and not stat.S_ISDIR(path.lstat().st_mode):
                raise LedgerError(f"{directory} is no directory")
            with os.scandir(path) as found:
                for entry in found:
                    yield f"{directory}/{entry.name}" if directory else entry.name
        except OSError as error:
            raise LedgerError(f"{directory or self.path} cannot be read: {error.strerror}") from None

    @contextmanager
    def _open(self, name: str) -> Iterator[_Counted]:
        """Open a regular file; a link, a pipe or a directory in its place is refused, and nothing is waited for."""
        try:
            descriptor = os.open(self.path / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            with os.fdopen(descriptor, "rb") as file:
                if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                    raise LedgerError(f"{name} is no regular file")
                yield _Counted(file)
        except OSError as error:
            raise LedgerError(f"{name} cannot be read: {error.strerror}") from None


def _unpack(file: _Counted, name: str) -> bytes | None:
    """Return the next leaf of a bundle, None at its end."""
    head = file.read(2)
    if not head:
        return None
    length = int.from_bytes(head, "big")
    if len(head) == 2 and length == 0:
        head = file.read(4)
        length = int.from_bytes(head, "big")
        if len(head) < 4 or 0 < length <= MAX_ENTRY_BYTES or length > MAX_LEAF_BYTES:
            raise LedgerError(f"{name} holds an entry whose length makes no sense")
    leaf = file.read(length)
    if len(head) < 2 or len(leaf) < length:
        raise LedgerError(f"{name} ends inside an entry")
    return leaf

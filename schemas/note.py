"""Checkpoints of the ledger as signed notes: C2SP signed-note, tlog-checkpoint and tlog-cosignature, all 1.0.

A malformed note is a LedgerError; a signature or key that fails is a KeyRefusedError.
"""

import re
from base64 import b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import Self

from schemas.errors import KeyRefusedError, LedgerError
from schemas.keys import SIGNATURE_SIZE, PrivateKey, PublicKey, decode_base64
from schemas.merkle import HASH_SIZE

MAX_NOTE = 64 * 1024
MAX_SIGNATURES = 64
MAX_NAME = 255
MAX_SIZE = 2**63 - 1
ED25519 = 0x01
COSIGNATURE_V1 = 0x04

_NOT_IN_NAME = frozenset("+") | {chr(code) for code in (*range(0x20), *range(0xD800, 0xE000))}
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")
_SIGNATURE_LINE = re.compile(r"— ([^ ]+) ([A-Za-z0-9+/]+={0,2})")
_VKEY = re.compile(r"([^+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+={0,2})")


def _bounded(text: str | bytes) -> str:
    """Return text that is valid UTF-8, short enough and free of control characters other than newline."""
    if len(text) > MAX_NOTE:
        raise LedgerError(f"a note has at most {MAX_NOTE} bytes")
    try:
        data = text.encode() if isinstance(text, str) else text
        text = data.decode()
    except UnicodeError:
        raise LedgerError("a note must be valid UTF-8") from None
    if len(data) > MAX_NOTE or _CONTROL.search(text):
        raise LedgerError(f"a note has at most {MAX_NOTE} bytes and no control characters but newline")
    return text


def _require_name(name: str) -> None:
    if not 0 < len(name) <= MAX_NAME or any(c.isspace() or c in _NOT_IN_NAME for c in name):
        raise KeyRefusedError(f"a signer's name has 1 to {MAX_NAME} characters, no space, plus or control")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a log says of itself: the entries of `origin` number `size` and have the Merkle root `root`."""

    origin: str
    size: int
    root: bytes

    def __post_init__(self) -> None:
        if not 0 < len(self.origin) <= MAX_NAME or "\n" in _bounded(self.origin):
            raise LedgerError(f"an origin is one line of 1 to {MAX_NAME} characters")
        if not 0 <= self.size <= MAX_SIZE:
            raise LedgerError("the size of a checkpoint lies between 0 and 2^63 - 1")
        if len(self.root) != HASH_SIZE:
            raise LedgerError(f"the root of a checkpoint has {HASH_SIZE} bytes, not {len(self.root)}")

    def to_text(self) -> str:
        """Return the three lines that are signed; extension lines are never written."""
        return f"{self.origin}\n{self.size}\n{b64encode(self.root).decode()}\n"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the text of a note, without its signatures; extension lines are tolerated and dropped."""
        origin, *rest = _bounded(text).split("\n")
        if len(rest) < 3 or rest[-1] or not all(rest[:-1]):
            raise LedgerError("a checkpoint is three or more non-empty lines: origin, size, root")
        if not _SIZE.fullmatch(rest[0]):
            raise LedgerError("the second line of a checkpoint is its size, a decimal without leading zeros")
        try:
            root = decode_base64(rest[1])
        except KeyRefusedError as refused:
            raise LedgerError(f"the third line of a checkpoint is its root, but is {refused}") from None
        return cls(origin, int(rest[0]), root)


@dataclass(frozen=True, slots=True)
class Verifier:
    """A named public key that may sign notes: ED25519 for a log, COSIGNATURE_V1 for a witness."""

    name: str
    key: PublicKey
    algorithm: int = ED25519

    def __post_init__(self) -> None:
        _require_name(self.name)
        if self.algorithm not in {ED25519, COSIGNATURE_V1}:
            raise KeyRefusedError(f"signature type {self.algorithm:#04x} is not supported: 0x01 or 0x04 is")

    @property
    def key_hash(self) -> bytes:
        """The four bytes that stand for name, type and key in a signature line."""
        return sha256(self.name.encode() + b"\n" + bytes([self.algorithm]) + self.key.raw).digest()[:4]

    def to_vkey(self) -> str:
        """Return `name+hash+base64(type || key)`."""
        encoded = b64encode(bytes([self.algorithm]) + self.key.raw).decode()
        return f"{self.name}+{self.key_hash.hex()}+{encoded}"

    @classmethod
    def from_vkey(cls, vkey: str) -> Self:
        """Read what `to_vkey` writes; the hash must agree."""
        match = _VKEY.fullmatch(vkey) if len(vkey) <= 2 * MAX_NAME else None
        if match is None:
            raise KeyRefusedError("a verifier key is name+hash+base64 on one line")
        material = decode_base64(match[3])
        verifier = cls(match[1], PublicKey(material[1:]), material[0])
        if verifier.key_hash.hex() != match[2]:
            raise KeyRefusedError("the hash in the verifier key is not that of its name and key")
        return verifier

    def verify(self, body: str, value: bytes) -> int:
        """Raise KeyRefusedError unless `value` signs `body`; return a cosignature's POSIX time (a log: 0)."""
        if self.algorithm == ED25519:
            self.key.verify(value, body.encode())
            return 0
        if len(value) != 8 + SIGNATURE_SIZE:
            raise KeyRefusedError(f"a cosignature has {8 + SIGNATURE_SIZE} bytes, not {len(value)}")
        at = int.from_bytes(value[:8], "big")
        if at > MAX_SIZE:
            raise KeyRefusedError("the time of a cosignature lies beyond 2^63 - 1")
        self.key.verify(value[8:], _cosigned(body, at))
        return at


def _cosigned(body: str, at: int) -> bytes:
    return f"cosignature/v1\ntime {at}\n{body}".encode()


def _line(verifier: Verifier, value: bytes) -> str:
    return f"— {verifier.name} {b64encode(verifier.key_hash + value).decode()}\n"


def sign(checkpoint: Checkpoint, signer_name: str, private_key: PrivateKey) -> str:
    """Return the checkpoint as a note with the log's signature; `signer_name` should be its origin."""
    body = checkpoint.to_text()
    signature = private_key.sign(body.encode())
    return f"{body}\n{_line(Verifier(signer_name, private_key.public), signature)}"


def cosign(body: str, witness_name: str, private_key: PrivateKey, at: int) -> str:
    """Return a witness's signature line over the text of a checkpoint as of `at` (POSIX seconds).

    The line is appended to the note. The caller has checked that the checkpoint extends what the witness saw.
    """
    Checkpoint.parse(body)
    if not 0 < at <= MAX_SIZE:
        raise KeyRefusedError("the time of a cosignature lies between 1 and 2^63 - 1")
    verifier = Verifier(witness_name, private_key.public, COSIGNATURE_V1)
    return _line(verifier, at.to_bytes(8, "big") + private_key.sign(_cosigned(body, at)))


def _split(text: str | bytes) -> tuple[str, list[tuple[str, bytes, bytes]]]:
    """Split a note into its text and its signatures (name, key hash, value)."""
    body, blank, tail = _bounded(text).rpartition("\n\n")
    lines = tail.split("\n")
    if not blank or len(lines) < 2 or lines.pop():
        raise LedgerError("a note is a text, an empty line and signature lines, the last ended by a newline")
    if len(lines) > MAX_SIGNATURES:
        raise LedgerError(f"a note has at most {MAX_SIGNATURES} signatures")
    signatures = []
    for line in lines:
        match = _SIGNATURE_LINE.fullmatch(line)
        if match is None:
            raise LedgerError("a signature line is a dash, a name and base64")
        try:
            _require_name(match[1])
            data = decode_base64(match[2])
        except KeyRefusedError as refused:
            raise LedgerError(f"a signature line is malformed: {refused}") from None
        if len(data) <= 4:
            raise LedgerError("a signature line holds four bytes of key hash and a signature")
        signatures.append((match[1], data[:4], data[4:]))
    return body + "\n", signatures


def open_cosigned(text: str | bytes, verifiers: Iterable[Verifier]) -> tuple[str, dict[Verifier, int]]:
    """Return the text of a note and, by verifier that signed it, the earliest time it states (a log: 0).

    Signatures of unknown keys are ignored. One signature of a known key that fails, or none that verifies, is a
    KeyRefusedError. Only distinct *keys* make a quorum; a repeated signature adds nothing.
    """
    known: dict[tuple[str, bytes], Verifier] = {}
    for verifier in verifiers:
        if known.setdefault((verifier.name, verifier.key_hash), verifier) != verifier:
            raise KeyRefusedError(f"two keys of {verifier.name} share one hash; give one of them another name")
    body, signatures = _split(text)
    times: dict[Verifier, int] = {}
    for name, key_hash, value in signatures:
        signer = known.get((name, key_hash))
        if signer is not None:
            at = signer.verify(body, value)
            times[signer] = min(at, times.get(signer, at))
    if not times:
        raise KeyRefusedError("no known key has signed this note; check the trusted keys")
    return body, times


def open_note(text: str | bytes, verifiers: Iterable[Verifier]) -> tuple[str, list[str]]:
    """Return the text of a note and the names of the keys that signed it, as `open_cosigned` judges it."""
    body, times = open_cosigned(text, verifiers)
    return body, [verifier.name for verifier in times]

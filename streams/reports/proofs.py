"""What a stranger needs to check a ledger: Ed25519, Merkle proofs and Avro in plain Python, with no library.

The text of this module becomes part of the verifier that each evidence package brings along.
"""

import hashlib
from typing import Any

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
ROOT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)


class WrongError(Exception):
    """Something in the package is not what it says."""


def require(held: object, why: str) -> None:
    """Raise WrongError unless it holds."""
    if not held:
        raise WrongError(why)


Point = tuple[int, int, int, int]


def _add(one: Point, two: Point) -> Point:
    a = (one[1] - one[0]) * (two[1] - two[0]) % P
    b = (one[1] + one[0]) * (two[1] + two[0]) % P
    c, d = 2 * one[3] * two[3] * D % P, 2 * one[2] * two[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def _times(scalar: int, point: Point) -> Point:
    total: Point = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            total = _add(total, point)
        point, scalar = _add(point, point), scalar >> 1
    return total


def _point(raw: bytes) -> Point:
    y = int.from_bytes(raw, "little")
    sign, y = y >> 255, y & (1 << 255) - 1
    require(len(raw) == 32 and y < P, "a point is not encoded as RFC 8032 says")
    xx = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(xx, (P + 3) // 8, P)
    if (x * x - xx) % P:
        x = x * ROOT_OF_MINUS_ONE % P
    require((x * x - xx) % P == 0 and (x or not sign), "a point is not on the curve")
    x = P - x if x & 1 != sign else x
    return (x, y, 1, x * y % P)


BASE = _point((4 * pow(5, -1, P) % P).to_bytes(32, "little"))


def signed(key: bytes, signature: bytes, message: bytes) -> bool:
    """Return whether an Ed25519 signature verifies (RFC 8032 section 5.1.7)."""
    if len(signature) != 64 or len(key) != 32:
        return False
    scalar = int.from_bytes(signature[32:], "little")
    if scalar >= L:
        return False
    try:
        first, public = _point(signature[:32]), _point(key)
    except WrongError:
        return False
    if _times(8, public)[0] == 0:
        return False  # of low order: anybody could sign for it
    digest = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % L
    left, right = _times(scalar, BASE), _add(first, _times(digest, public))
    return (left[0] * right[2] - right[0] * left[2]) % P == 0 and (left[1] * right[2] - right[1] * left[2]) % P == 0


def leaf_hash(leaf: bytes) -> bytes:
    """Return the hash of an entry."""
    return hashlib.sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of two nodes."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def included(leaf: bytes, index: int, size: int, proof: list[bytes], root: bytes) -> bool:
    """Return whether an inclusion proof leads to the root (RFC 9162 section 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    inner = (index ^ (size - 1)).bit_length()
    if len(proof) != inner + (index >> inner).bit_count() or any(len(one) != 32 for one in proof):
        return False
    node = leaf_hash(leaf)
    for level, sibling in enumerate(proof):
        left = level >= inner or index >> level & 1
        node = node_hash(sibling, node) if left else node_hash(node, sibling)
    return node == root


def root_of(leaves: list[bytes]) -> bytes:
    """Return the root over all entries."""
    level = [leaf_hash(leaf) for leaf in leaves]
    while len(level) > 1:
        paired = [node_hash(level[at], level[at + 1]) for at in range(0, len(level) - 1, 2)]
        level = paired + level[len(paired) * 2 :]
    return level[0]


class Avro:
    """Reads Avro's binary encoding under the schema that wrote it."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def take(self, size: int) -> bytes:
        """Return the next bytes."""
        require(0 <= size <= len(self.data) - self.at, "a record ends too early")
        self.at += size
        return self.data[self.at - size : self.at]

    def long(self) -> int:
        """Return the next number: zigzag, seven bits a byte."""
        value = shift = 0
        while True:
            byte = self.take(1)[0]
            value |= (byte & 127) << shift
            shift += 7
            require(shift <= 70, "a number is too long")
            if byte < 128:
                return value >> 1 ^ -(value & 1)

    def read(self, schema: object) -> object:
        """Return the next value; only what entries, commands and enrolments need."""
        if isinstance(schema, dict):
            kind = schema["type"]
            if kind == "record":
                return {field["name"]: self.read(field["type"]) for field in schema["fields"]}
            return self.many(schema["items"]) if kind == "array" else self.read(kind)
        if schema in ("long", "int"):
            return self.long()
        require(schema in ("string", "bytes"), f"a schema has {str(schema)[:40]}, which is not expected here")
        found = self.take(self.long())
        return found.decode() if schema == "string" else found

    def many(self, items: object) -> list[object]:
        """Return the next list, which comes in blocks."""
        found: list[object] = []
        while count := self.long():
            require(count > 0, "a list is not encoded as it should be")
            found += [self.read(items) for _ in range(count)]
        return found


def decoded(data: bytes, schema: object) -> dict[str, Any]:
    """Return a record that fills the bytes exactly."""
    reader = Avro(data)
    found: Any = reader.read(schema)
    require(isinstance(found, dict) and reader.at == len(data), "a record is followed by something else")
    return dict(found)


def statement(command: dict[str, Any]) -> bytes:
    """Return the bytes that a command's signature covers."""
    names = [command[name].encode() for name in ("origin", "topic", "kind", "incident")]
    parts = [*names, command["fingerprint"] + command["body"]]
    return b"headgate-statement-v1" + b"".join(len(part).to_bytes(8, "big") + part for part in parts)

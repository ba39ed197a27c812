"""The ledger's Merkle tree: SHA-256 as RFC 6962 section 2.1 and RFC 9162 section 2.1 define it.

A proof holds for a *root*; which size belongs to a root is known only from a signed checkpoint. Verification
binds the index to the root, and the size only as far as the shape of the path depends on it.
"""

from collections.abc import Iterable, Sequence
from hashlib import sha256

from schemas.errors import LedgerError

HASH_SIZE = 32
EMPTY_ROOT = sha256(b"").digest()
_NODE = b"\x01"


def leaf_hash(leaf: bytes) -> bytes:
    """Hash the bytes of one entry (domain 0x00, so that no entry can pose as a node)."""
    return sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash two children into their parent (domain 0x01)."""
    return sha256(b"\x01" + left + right).digest()


def _require_hash(value: bytes, what: str) -> None:
    if len(value) != HASH_SIZE:
        # Without this, bytes could be moved across the border between two children.
        raise LedgerError(f"{what} has {len(value)} bytes; a SHA-256 hash has {HASH_SIZE}")


class Frontier:
    """An append-only tree reduced to the roots of its perfect subtrees: at most 64 hashes, whatever its size.

    Parameters
    ----------
    size
        Number of leaves already in the tree.
    nodes
        Roots of the perfect subtrees, the largest first, one for each bit set in `size`.
    """

    __slots__ = ("_nodes", "_size")

    def __init__(self, size: int = 0, nodes: Sequence[bytes] = ()) -> None:
        if size < 0 or len(nodes) != size.bit_count():
            raise LedgerError(f"{len(nodes)} subtree roots cannot describe a tree of size {size}")
        for node in nodes:
            _require_hash(node, "a subtree root")
        self._size = size
        self._nodes = list(nodes)

    @property
    def size(self) -> int:
        """Number of leaves."""
        return self._size

    @property
    def nodes(self) -> tuple[bytes, ...]:
        """Roots of the perfect subtrees, the largest first: with `size`, all the state there is."""
        return tuple(self._nodes)

    def append(self, leaf: bytes) -> None:
        """Add the hash of the next entry."""
        if len(leaf) != HASH_SIZE:
            _require_hash(leaf, "a leaf")
        nodes = self._nodes
        size = self._size
        self._size = size + 1
        while size & 1:
            # Inlined node_hash: a million leaves have to pass in seconds.
            leaf = sha256(_NODE + nodes.pop() + leaf).digest()
            size >>= 1
        nodes.append(leaf)

    def root(self) -> bytes:
        """Return the root of the tree as it stands."""
        return _fold(self._nodes) if self._nodes else EMPTY_ROOT

    def copy(self) -> "Frontier":
        """Return an independent tree of the same content."""
        return Frontier(self._size, self._nodes)


def _fold(nodes: Sequence[bytes]) -> bytes:
    """Join the roots of adjacent perfect subtrees, the largest first, from the right."""
    joined = nodes[-1]
    for node in reversed(nodes[:-1]):
        joined = node_hash(node, joined)
    return joined


class Tree:
    """An append-only tree that keeps its nodes (64 bytes a leaf): a proof costs a logarithm, not a pass."""

    __slots__ = ("_levels",)

    def __init__(self, leaf_hashes: Iterable[bytes] = ()) -> None:
        self._levels = [bytearray()]
        for leaf in leaf_hashes:
            self.append(leaf)

    @property
    def size(self) -> int:
        """Number of leaves."""
        return len(self._levels[0]) // HASH_SIZE

    def append(self, leaf: bytes) -> None:
        """Add the hash of the next entry and every node that it completes."""
        _require_hash(leaf, "a leaf")
        position = self.size
        self._levels[0] += leaf
        level = 0
        while position & 1:
            pair = bytes(self._levels[level][-2 * HASH_SIZE :])
            level += 1
            if level == len(self._levels):
                self._levels.append(bytearray())
            self._levels[level] += sha256(_NODE + pair).digest()
            position >>= 1

    def root(self, size: int | None = None) -> bytes:
        """Return the root that the tree has, or had at an earlier `size`."""
        size = self.size if size is None else size
        self._require_size(size)
        return self._subtree(0, size) if size else EMPTY_ROOT

    def inclusion_proof(self, index: int, size: int) -> list[bytes]:
        """Return the path from leaf `index` to the root at `size` (RFC 9162 section 2.1.3.1)."""
        self._require_size(size)
        if not 0 <= index < size:
            raise LedgerError(f"there is no leaf {index} in a tree of size {size}")
        return self._path(index, index + 1, size)

    def consistency_proof(self, size1: int, size2: int) -> list[bytes]:
        """Return the proof that the tree at `size2` extends that at `size1` (RFC 9162 section 2.1.4.1)."""
        self._require_size(size2)
        if not 0 < size1 <= size2:
            raise LedgerError(f"no proof leads from size {size1} to {size2}: 0 < size1 <= size2 is needed")
        if size1 == size2:
            return []
        width = size1 & -size1
        start = size1 - width
        path = self._path(start, size1, size2)
        # A perfect first tree is known by its root; otherwise the proof starts with its last part.
        return path if start == 0 else [self._subtree(start, size1), *path]

    def _require_size(self, size: int) -> None:
        if not 0 <= size <= self.size:
            raise LedgerError(f"size {size} lies outside a tree of {self.size} leaves")

    def _path(self, start: int, end: int, size: int) -> list[bytes]:
        """Return the siblings on the way from the perfect subtree [start, end) to the root, lowest first."""
        path: list[bytes] = []
        low, high = 0, size
        while (low, high) != (start, end):
            middle = low + (1 << (high - low - 1).bit_length() - 1)
            if start < middle:
                path.append(self._subtree(middle, high))
                high = middle
            else:
                path.append(self._subtree(low, middle))
                low = middle
        path.reverse()
        return path

    def _subtree(self, start: int, end: int) -> bytes:
        """Return the root of [start, end), whose start is a multiple of the largest power of two inside."""
        nodes: list[bytes] = []
        while start < end:
            level = (end - start).bit_length() - 1
            at = (start >> level) * HASH_SIZE
            nodes.append(bytes(self._levels[level][at : at + HASH_SIZE]))
            start += 1 << level
        return _fold(nodes)


def root(leaf_hashes: Iterable[bytes]) -> bytes:
    """Return the root over leaf hashes."""
    frontier = Frontier()
    for leaf in leaf_hashes:
        frontier.append(leaf)
    return frontier.root()


def inclusion_proof(leaf_hashes: Sequence[bytes], index: int, size: int) -> list[bytes]:
    """Return the path from leaf `index` to the root of the first `size`; for many proofs keep a `Tree`."""
    return Tree(leaf_hashes[: max(size, 0)]).inclusion_proof(index, size)


def consistency_proof(leaf_hashes: Sequence[bytes], size1: int, size2: int) -> list[bytes]:
    """Return the proof that `size2` leaves extend the first `size1`; for many proofs keep a `Tree`."""
    return Tree(leaf_hashes[: max(size2, 0)]).consistency_proof(size1, size2)


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """Raise LedgerError unless `leaf`, a hash, stands at `index` under `root` (RFC 9162 section 2.1.3.2)."""
    if not 0 <= index < size:
        raise LedgerError(f"there is no leaf {index} in a tree of size {size}")
    _require_hash(leaf, "the leaf")
    inner = (index ^ (size - 1)).bit_length()
    if len(proof) != inner + (index >> inner).bit_count():
        raise LedgerError(f"a proof of {len(proof)} hashes does not fit leaf {index} of {size}", index)
    node = leaf
    for level, sibling in enumerate(proof):
        _require_hash(sibling, "a hash of the proof")
        # Above the level where the paths to `index` and to the last leaf meet, all siblings are on the left.
        left = level >= inner or (index >> level) & 1
        node = node_hash(sibling, node) if left else node_hash(node, sibling)
    if node != root:
        raise LedgerError("the inclusion proof leads to another root", index)


def verify_consistency(size1: int, size2: int, root1: bytes, root2: bytes, proof: Sequence[bytes]) -> None:
    """Raise LedgerError unless the tree of `root2` extends the tree of `root1` (RFC 9162 section 2.1.4.2)."""
    if size1 <= 0:
        raise LedgerError(f"consistency from size {size1} says nothing: start from a checkpoint with entries")
    verify_subtree_consistency(0, size1, size2, root1, root2, proof)


def _require_subtree(start: int, end: int) -> None:
    """Refuse [start, end) unless start is a multiple of the smallest power of two >= its length."""
    width = 1 << max(end - start - 1, 0).bit_length()
    if not 0 <= start <= end or start % width:
        raise LedgerError(f"[{start}, {end}) is not a subtree")


def verify_subtree_inclusion(
    leaf: bytes, index: int, start: int, end: int, proof: Sequence[bytes], root: bytes
) -> None:
    """Raise LedgerError unless `leaf` stands at `index` of the subtree [start, end) with that `root`.

    Source: draft-ietf-plants-merkle-tree-certs, "Subtree Inclusion Proofs".
    """
    _require_subtree(start, end)
    verify_inclusion(leaf, index - start, end - start, proof, root)


def verify_subtree_consistency(
    start: int, end: int, size: int, root1: bytes, root2: bytes, proof: Sequence[bytes]
) -> None:
    """Raise LedgerError unless `root1` of the subtree [start, end) belongs to the tree of `size` and `root2`.

    An empty subtree is part of any tree.

    Source: draft-ietf-plants-merkle-tree-certs, "Subtree Consistency Proofs".
    """
    _require_subtree(start, end)
    if end > size:
        raise LedgerError(f"a tree of size {size} does not reach to {end}")
    if start == end:
        if proof or root1 != EMPTY_ROOT:
            raise LedgerError(f"the empty subtree at {start} needs the empty root and an empty proof")
        return
    first, last, limit = start, end - 1, size - 1
    # Climb to the highest node that ends where the subtree ends: the proof starts there.
    while first != last and (last & 1 or end == size):
        first, last, limit = first >> 1, last >> 1, limit >> 1
    hashes = list(proof)
    for sibling in hashes:
        _require_hash(sibling, "a hash of the proof")
    if first != last and not hashes:
        raise LedgerError(f"the proof from [{start}, {end}) to size {size} is empty", start)
    seed = root1 if first == last else hashes.pop(0)
    got1, got2 = _climb(first, last, limit, seed, hashes)
    if got1 != root1:
        raise LedgerError(f"the consistency proof does not lead to the root at size {end}", start)
    if got2 != root2:
        raise LedgerError(f"the tree of size {size} does not extend the tree of size {end}", start)


def _climb(first: int, last: int, limit: int, seed: bytes, hashes: list[bytes]) -> tuple[bytes, bytes]:
    """Return the roots of the subtree and of the whole tree that a proof leads to, from `seed` upwards."""
    got1 = got2 = seed
    for sibling in hashes:
        if limit == 0:
            raise LedgerError("the consistency proof is longer than the path")
        if last & 1 or last == limit:
            if first < last:
                got1 = node_hash(sibling, got1)
            got2 = node_hash(sibling, got2)
            while not last & 1:
                first, last, limit = first >> 1, last >> 1, limit >> 1
        else:
            got2 = node_hash(got2, sibling)
        first, last, limit = first >> 1, last >> 1, limit >> 1
    if limit:
        raise LedgerError("the consistency proof is shorter than the path")
    return got1, got2

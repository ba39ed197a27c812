"""The Merkle tree of the ledger, held to the published vectors of transparency-dev/merkle and Tessera."""

import json
import time
from base64 import b64decode
from collections import Counter
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from schemas import merkle
from schemas.errors import LedgerError
from schemas.merkle import EMPTY_ROOT, Frontier, Tree

LEAVES = [merkle.leaf_hash(bytes([n])) for n in range(20)]


def _hash(case: dict[str, Any], name: str) -> bytes:
    return b64decode(case[name] or "")


def _proof(case: dict[str, Any]) -> list[bytes]:
    return [b64decode(item) for item in case["proof"] or []]


def _inclusion(case: dict[str, Any]) -> None:
    leaf, root = _hash(case, "leafHash"), _hash(case, "root")
    merkle.verify_inclusion(leaf, case["leafIdx"], case["treeSize"], _proof(case), root)


def _consistency(case: dict[str, Any]) -> None:
    root1, root2 = _hash(case, "root1"), _hash(case, "root2")
    merkle.verify_consistency(case["size1"], case["size2"], root1, root2, _proof(case))


def _subtree_inclusion(case: dict[str, Any]) -> None:
    leaf, root = _hash(case, "leafHash"), _hash(case, "root")
    place = case["leafIdx"], case["start"], case["end"]
    merkle.verify_subtree_inclusion(leaf, *place, _proof(case), root)


def _subtree_consistency(case: dict[str, Any]) -> None:
    root1, root2 = _hash(case, "root1"), _hash(case, "root2")
    place = case["start"], case["end"], case["size"]
    merkle.verify_subtree_consistency(*place, root1, root2, _proof(case))


@pytest.mark.parametrize(
    ("folder", "check", "count", "good"),
    [
        ("inclusion", _inclusion, 98, 6),
        ("consistency", _consistency, 98, 6),
        ("subtreeinclusion", _subtree_inclusion, 204, 12),
        ("subtreeconsistency", _subtree_consistency, 118, 12),
    ],
)
def test_every_published_proof_is_judged_as_published(
    data: Path, folder: str, check: Callable[[dict[str, Any]], None], count: int, good: int
) -> None:
    """All 518 proofs of transparency-dev/merkle are accepted or refused as their files say."""
    seen: Counter[bool] = Counter()
    for path in sorted((data / "vectors" / "merkle" / folder).rglob("*.json")):
        case = json.loads(path.read_text())
        try:
            check(case)
            refused = False
        except LedgerError:
            refused = True
        assert refused is case["wantErr"], path.name
        seen[refused] += 1
    assert (seen.total(), seen[False]) == (count, good)


def test_the_tiles_of_a_published_log_hold_the_hashes_of_its_entries(data: Path) -> None:
    """Leaf hashing agrees with Tessera's level-0 tiles for its 15 entries."""
    log = data / "vectors" / "tessera" / "log" / "tile"
    bundle = (log / "entries" / "000.p" / "15").read_bytes()
    hashes = b""
    while bundle:
        length = int.from_bytes(bundle[:2], "big")
        hashes += merkle.leaf_hash(bundle[2 : 2 + length])
        bundle = bundle[2 + length :]
    assert hashes == (log / "0" / "000.p" / "15").read_bytes()


def test_an_empty_tree_has_the_root_of_nothing() -> None:
    """The root of an empty tree is the SHA-256 of no bytes, whoever computes it."""
    assert merkle.root([]) == Frontier().root() == Tree().root() == EMPTY_ROOT == sha256(b"").digest()


def test_a_leaf_is_never_a_node() -> None:
    """The bytes of two children, offered as an entry, hash to something other than their parent."""
    left, right = LEAVES[:2]
    assert merkle.leaf_hash(left + right) != merkle.node_hash(left, right)


def test_a_frontier_continues_from_its_saved_state() -> None:
    """Size and nodes are the whole state: a restored frontier grows to the same root."""
    whole, first = Frontier(), Frontier()
    for leaf in LEAVES[:11]:
        first.append(leaf)
    restored = Frontier(first.size, first.nodes)
    for leaf in LEAVES[11:]:
        restored.append(leaf)
    for leaf in LEAVES:
        whole.append(leaf)
    assert (restored.size, restored.root()) == (whole.size, whole.root())


def test_a_copy_of_a_frontier_grows_on_its_own() -> None:
    """Appending to a copy leaves the original as it was."""
    frontier = Frontier()
    frontier.append(LEAVES[0])
    copy = frontier.copy()
    copy.append(LEAVES[1])
    assert (frontier.size, frontier.root(), copy.size) == (1, LEAVES[0], 2)


@pytest.mark.parametrize(("size", "nodes"), [(-1, []), (0, LEAVES[:1]), (3, LEAVES[:1]), (1, [b"short"])])
def test_a_frontier_refuses_a_state_that_no_tree_has(size: int, nodes: list[bytes]) -> None:
    """A damaged snapshot is found when it is loaded."""
    with pytest.raises(LedgerError):
        Frontier(size, nodes)


@pytest.mark.parametrize("tree", [Frontier(), Tree()])
def test_a_leaf_of_the_wrong_length_changes_nothing(tree: Frontier | Tree) -> None:
    """A leaf that is no hash is refused, and the tree stays as it was."""
    with pytest.raises(LedgerError, match="32"):
        tree.append(b"entry")
    assert (tree.size, tree.root()) == (0, EMPTY_ROOT)


def test_a_tree_remembers_its_earlier_roots() -> None:
    """The root at an earlier size is the root that the tree had then."""
    tree = Tree(LEAVES)
    assert [tree.root(n) for n in range(21)] == [merkle.root(LEAVES[:n]) for n in range(21)]
    with pytest.raises(LedgerError, match="outside"):
        tree.root(21)


@pytest.mark.parametrize(("index", "size"), [(0, 0), (5, 5), (-1, 5), (0, -1), (0, 21)])
def test_no_inclusion_proof_is_made_for_a_leaf_that_is_not_there(index: int, size: int) -> None:
    """An index or a size outside the tree is refused."""
    with pytest.raises(LedgerError):
        merkle.inclusion_proof(LEAVES, index, size)


@pytest.mark.parametrize(("size1", "size2"), [(0, 5), (-1, 5), (6, 5), (1, -1), (1, 21)])
def test_no_consistency_proof_is_made_between_impossible_sizes(size1: int, size2: int) -> None:
    """A proof from nothing, backwards or beyond the tree is refused."""
    with pytest.raises(LedgerError):
        merkle.consistency_proof(LEAVES, size1, size2)


def test_consistency_from_an_empty_tree_is_refused() -> None:
    """Everything extends nothing, so a "proof" of it is an error and not a success."""
    with pytest.raises(LedgerError, match="says nothing"):
        merkle.verify_consistency(0, 5, EMPTY_ROOT, merkle.root(LEAVES[:5]), [])


def test_hashes_of_a_proof_cannot_borrow_bytes_from_each_other() -> None:
    """A proof whose hashes are not 32 bytes long is refused before anything is hashed."""
    proof = merkle.inclusion_proof(LEAVES, 3, 8)
    with pytest.raises(LedgerError, match="hash of the proof"):
        merkle.verify_inclusion(LEAVES[3], 3, 8, [proof[0][:31], *proof[1:]], merkle.root(LEAVES[:8]))


def test_a_consistency_proof_names_which_root_is_wrong() -> None:
    """Each of the two roots is checked for itself."""
    proof = merkle.consistency_proof(LEAVES, 6, 8)
    root1, root2 = merkle.root(LEAVES[:6]), merkle.root(LEAVES[:8])
    with pytest.raises(LedgerError, match="root at size 6"):
        merkle.verify_consistency(6, 8, LEAVES[0], root2, proof)
    with pytest.raises(LedgerError, match="does not extend"):
        merkle.verify_consistency(6, 8, root1, LEAVES[0], proof)


@pytest.mark.parametrize("cut", [slice(0, -1), slice(0, 0)])
def test_a_shortened_consistency_proof_is_refused(cut: slice) -> None:
    """Leaving out the last hash, or all, is found."""
    proof = merkle.consistency_proof(LEAVES, 6, 8)
    with pytest.raises(LedgerError, match=r"shorter|empty"):
        merkle.verify_consistency(6, 8, merkle.root(LEAVES[:6]), merkle.root(LEAVES[:8]), proof[cut])


def test_a_subtree_that_starts_in_the_middle_is_verified() -> None:
    """Entries 4 to 7 are proved to be part of the tree of 20, and leaf 6 to be part of them."""
    tree, part = Tree(LEAVES), Tree(LEAVES[4:8])
    proof = [merkle.root(LEAVES[:4]), merkle.root(LEAVES[8:16]), merkle.root(LEAVES[16:])]
    merkle.verify_subtree_consistency(4, 8, 20, part.root(), tree.root(), proof)
    merkle.verify_subtree_inclusion(LEAVES[6], 6, 4, 8, part.inclusion_proof(2, 4), part.root())


def test_a_million_leaves_are_hashed_into_a_root_within_five_seconds() -> None:
    """The budget for the root of 1,000,000 entries holds in processor time of one core."""
    frontier, leaf = Frontier(), LEAVES[0]
    started = time.process_time()
    for _ in range(1_000_000):
        frontier.append(leaf)
    frontier.root()
    assert time.process_time() - started <= 5

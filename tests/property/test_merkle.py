"""What must hold for every tree, every note and every statement, not only for the published ones."""

from collections.abc import Sequence

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from schemas import merkle
from schemas.errors import HeadgateError, LedgerError
from schemas.keys import PrivateKey, preimage
from schemas.merkle import Frontier, Tree
from schemas.note import Checkpoint, Verifier, cosign, open_cosigned, open_note, sign

LEAVES = [merkle.leaf_hash(n.to_bytes(2, "big")) for n in range(70)]
KEY = PrivateKey.generate(bytes(range(32)))
LOG = Verifier("ledger.example/log", KEY.public)

sizes = st.integers(1, len(LEAVES))
names = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=40)
checkpoints = st.builds(
    Checkpoint,
    names,
    st.integers(0, 2**63 - 1),
    st.binary(min_size=32, max_size=32),
)


def _recursive(leaves: Sequence[bytes]) -> bytes:
    """RFC 9162 section 2.1.1, word for word."""
    if len(leaves) == 0:
        return merkle.EMPTY_ROOT
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return merkle.node_hash(_recursive(leaves[:k]), _recursive(leaves[k:]))


def _path(index: int, size: int) -> list[str]:
    """Tell the turns from leaf to root: two sizes with the same turns cannot be told apart by a proof."""
    if size == 1:
        return []
    k = 1
    while k * 2 < size:
        k *= 2
    return [*_path(index, k), "right"] if index < k else [*_path(index - k, size - k), "left"]


@given(st.integers(0, len(LEAVES)))
def test_a_root_is_that_of_the_recursive_definition(size: int) -> None:
    """Frontier, tree and the definition in the RFC give one root."""
    frontier = Frontier()
    for leaf in LEAVES[:size]:
        frontier.append(leaf)
    assert frontier.root() == Tree(LEAVES).root(size) == merkle.root(LEAVES[:size]) == _recursive(LEAVES[:size])


def test_every_inclusion_and_consistency_proof_verifies() -> None:
    """For all sizes up to 70, every leaf is proved and every earlier size is."""
    tree = Tree(LEAVES)
    for size in range(1, len(LEAVES) + 1):
        root = tree.root(size)
        for n in range(size):
            merkle.verify_inclusion(LEAVES[n], n, size, tree.inclusion_proof(n, size), root)
            earlier = tree.root(n + 1)
            merkle.verify_consistency(n + 1, size, earlier, root, tree.consistency_proof(n + 1, size))


@given(sizes, st.data())
def test_a_changed_inclusion_proof_is_refused(size: int, draw: st.DataObject) -> None:
    """Another leaf, index, root, or a proof changed in one bit, one hash longer or shorter, does not verify."""
    index = draw.draw(st.integers(0, size - 1))
    proof = merkle.inclusion_proof(LEAVES, index, size)
    root = merkle.root(LEAVES[:size])
    other = draw.draw(st.integers(-1, size + 1).filter(lambda n: n != index))
    mutants = [
        (LEAVES[index], other, proof, root),
        (_flipped(LEAVES[index], draw), index, proof, root),
        (LEAVES[index], index, proof, _flipped(root, draw)),
        (LEAVES[index], index, [*proof, LEAVES[0]], root),
    ]
    if proof:
        at = draw.draw(st.integers(0, len(proof) - 1))
        mutants.append((LEAVES[index], index, proof[:at] + proof[at + 1 :], root))
        changed = [*proof[:at], _flipped(proof[at], draw), *proof[at + 1 :]]
        mutants.append((LEAVES[index], index, changed, root))
    for leaf, place, hashes, claimed in mutants:
        with pytest.raises(LedgerError):
            merkle.verify_inclusion(leaf, place, size, hashes, claimed)


@given(sizes, st.integers(0, 200), st.data())
def test_a_proof_for_another_size_is_refused(size: int, other: int, draw: st.DataObject) -> None:
    """A wrong size is found wherever the way to the root is another one."""
    index = draw.draw(st.integers(0, size - 1))
    assume(other <= index or _path(index, other) != _path(index, size))
    proof = merkle.inclusion_proof(LEAVES, index, size)
    with pytest.raises(LedgerError):
        merkle.verify_inclusion(LEAVES[index], index, other, proof, merkle.root(LEAVES[:size]))


@given(sizes, st.data())
def test_a_changed_consistency_proof_is_refused(size2: int, draw: st.DataObject) -> None:
    """Another first size, another root, or a changed proof does not verify."""
    size1 = draw.draw(st.integers(1, size2))
    proof = merkle.consistency_proof(LEAVES, size1, size2)
    root1, root2 = merkle.root(LEAVES[:size1]), merkle.root(LEAVES[:size2])
    other = draw.draw(st.integers(-1, size2 + 1).filter(lambda n: n != size1))
    mutants = [
        (other, root1, root2, proof),
        (size1, _flipped(root1, draw), root2, proof),
        (size1, root1, _flipped(root2, draw), proof),
        (size1, root1, root2, [*proof, LEAVES[0]]),
    ]
    if proof:
        at = draw.draw(st.integers(0, len(proof) - 1))
        mutants.append((size1, root1, root2, proof[:at] + proof[at + 1 :]))
        mutants.append((size1, root1, root2, [*proof[:at], _flipped(proof[at], draw), *proof[at + 1 :]]))
    for first, claimed1, claimed2, hashes in mutants:
        with pytest.raises(LedgerError):
            merkle.verify_consistency(first, size2, claimed1, claimed2, hashes)


def _flipped(value: bytes, draw: st.DataObject) -> bytes:
    bit = draw.draw(st.integers(0, len(value) * 8 - 1))
    changed = bytearray(value)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


@given(checkpoints, names.filter(lambda name: "+" not in name), st.integers(1, 2**63 - 1))
def test_a_checkpoint_survives_its_note(checkpoint: Checkpoint, witness: str, at: int) -> None:
    """What was signed and cosigned is what is read, with the names and the time of those who signed."""
    note = sign(checkpoint, LOG.name, KEY)
    second = Verifier(witness, KEY.public, algorithm=4)
    cosigned = note + cosign(checkpoint.to_text(), witness, KEY, at)
    body, times = open_cosigned(cosigned.encode(), [LOG, second])
    assert (Checkpoint.parse(body), times) == (checkpoint, {LOG: 0, second: at})


@given(checkpoints, st.data())
def test_a_note_with_a_changed_byte_does_not_open(checkpoint: Checkpoint, draw: st.DataObject) -> None:
    """Any one byte changed, added or removed makes the note worthless."""
    note = sign(checkpoint, LOG.name, KEY).encode()
    at = draw.draw(st.integers(0, len(note) - 1))
    byte = draw.draw(st.integers(0, 255).filter(lambda value: value != note[at]))
    extra = draw.draw(st.binary(min_size=1, max_size=1))
    for changed in (
        note[:at] + bytes([byte]) + note[at + 1 :],
        note[:at] + extra + note[at:],
        note[:at] + note[at + 1 :],
    ):
        with pytest.raises(HeadgateError):
            open_note(changed, [LOG])


@given(st.one_of(st.binary(max_size=300), st.text(max_size=300)))
def test_noise_never_opens_and_never_crashes(noise: bytes | str) -> None:
    """Bytes or text that nobody signed give an error of ours, never another."""
    with pytest.raises(HeadgateError):
        open_note(noise, [LOG])


fields = st.tuples(st.text(max_size=4), st.text(max_size=4), st.text(max_size=4), st.text(max_size=4))


@given(fields, st.binary(max_size=4), fields, st.binary(max_size=4))
def test_two_statements_never_share_their_signed_bytes(
    names1: tuple[str, str, str, str], body1: bytes, names2: tuple[str, str, str, str], body2: bytes
) -> None:
    """Signed bytes are equal exactly when all five fields are."""
    same = (names1, body1) == (names2, body2)
    assert (preimage(*names1, body1) == preimage(*names2, body2)) is same


@given(st.text("ab", max_size=12), st.lists(st.integers(0, 12), min_size=8, max_size=8))
def test_moving_the_borders_of_fields_changes_the_signed_bytes(text: str, cuts: list[int]) -> None:
    """The same characters, cut into fields in two ways, are signed as two different statements."""
    one, two = (_cut(text, sorted(half)) for half in (cuts[:4], cuts[4:]))
    same = one == two
    assert (preimage(*one[:4], one[4].encode()) == preimage(*two[:4], two[4].encode())) is same


def _cut(text: str, at: list[int]) -> tuple[str, str, str, str, str]:
    a, b, c, d = at
    return text[:a], text[a:b], text[b:c], text[c:d], text[d:]

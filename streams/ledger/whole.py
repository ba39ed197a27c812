"""The whole ledger as it is now, verified, with a proof for each of its entries."""

from collections.abc import Sequence
from dataclasses import dataclass

from agents.ledger.fold import Verified
from agents.ledger.state import LedgerState
from schemas.errors import LedgerError
from schemas.merkle import Tree, leaf_hash, verify_inclusion
from schemas.note import Checkpoint
from streams.kafka import Clients
from streams.ledger.keyring import read_trust, trust_path
from streams.ledger.reader import LedgerReader
from streams.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """That an entry stands in the tree: the hash of its leaf, and the path from there to the root (RFC 9162)."""

    leaf: str
    path: tuple[str, ...]


class Whole:
    """Every leaf of a ledger up to a signed checkpoint, and what they add up to.

    Parameters
    ----------
    entries
        All of them, void ones too, in order.
    state
        What they add up to.
    checkpoint
        The one that covers them.
    """

    def __init__(self, entries: Sequence[Verified], state: LedgerState, checkpoint: Checkpoint) -> None:
        self.entries = entries
        self.state = state
        self.checkpoint = checkpoint
        self._leaves = [leaf_hash(found.leaf) for found in entries]
        self._tree = Tree(self._leaves)

    def prove(self, index: int) -> Proof:
        """Return the proof of an entry, checked against the checkpoint's root; LedgerError where it does not hold."""
        size = self.checkpoint.size
        path = self._tree.inclusion_proof(index, size)
        verify_inclusion(self._leaves[index], index, size, path, self.checkpoint.root)
        return Proof(leaf=self._leaves[index].hex(), path=tuple(step.hex() for step in path))


def read_whole(settings: Settings) -> Whole:
    """Read and verify the ledger in Kafka to its end.

    Raises
    ------
    HeadgateError
        Kafka does not answer, this machine has no trust file, or the ledger is not what it vouches for.
    """
    reader = LedgerReader(Clients(settings), settings.ledger, read_trust(trust_path(settings)))
    try:
        entries = reader.catch_up()
    finally:
        reader.close()
    if reader.fold.checkpoint is None:
        raise LedgerError(f"the ledger {settings.ledger} holds nothing yet; `headgate init` begins one")
    return Whole(entries, reader.fold.state, reader.fold.checkpoint)

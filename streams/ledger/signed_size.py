"""What this registrar has signed last, kept apart from Kafka: a restored, shorter ledger is never signed again."""

import json
from pathlib import Path

from agents.ledger.fold import Fold
from schemas.errors import HeadgateError, LedgerError
from schemas.note import Checkpoint


class SignedSize:
    """The size and root of the newest checkpoint that was signed on this machine."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def keep(self, checkpoint: Checkpoint) -> None:
        """Write it down before it is signed."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            temporary = self._path.with_suffix(".new")
            temporary.write_text(json.dumps({"size": checkpoint.size, "root": checkpoint.root.hex()}), "utf-8")
            temporary.replace(self._path)
        except OSError as error:
            raise HeadgateError(f"{self._path} cannot be written: {error.strerror}; nothing is signed") from None

    def check(self, fold: Fold) -> None:
        """Raise LedgerError where the ledger is shorter than what was signed, or differs from it."""
        try:
            signed = json.loads(self._path.read_text("utf-8"))
            size, root = int(signed["size"]), bytes.fromhex(signed["root"])
        except FileNotFoundError:
            return
        except (OSError, ValueError, KeyError, TypeError):
            raise LedgerError(f"{self._path} cannot be read; restore it, or delete it if the ledger is new") from None
        if fold.next_offset < size:
            raise LedgerError(f"the ledger has {fold.next_offset} leaves, but {size} were signed here: it was cut")
        if fold.checkpoint is not None and fold.checkpoint.size == size and fold.checkpoint.root != root:
            raise LedgerError(f"the ledger of {size} leaves is not the one that was signed here", size - 1)

"""Deletes what policy no longer keeps, and what a crash left behind."""

from collections.abc import Sequence

import structlog

from agents.archive.held import HeldWindow
from schemas.ids import derive
from schemas.policy import ArchivePolicy
from streams.archive.index import ArchiveIndex
from streams.archive.store import SealedStore
from streams.clock import machine_seconds, now_ms

_LOG = structlog.get_logger("archive")
_DAY_MS = 86_400_000
_ORPHAN_SECONDS = 3600.0


def folder(model: str) -> str:
    """Return the name of a model's folder: any text may be a model's name."""
    return derive("model", model)


def prune(
    index: ArchiveIndex,
    store: SealedStore,
    policy: ArchivePolicy,
    now: int | None = None,
    held: Sequence[HeldWindow] = (),
) -> int:
    """Delete files older than policy keeps them, but none in a held window; return how many.

    Their ids are known as expired for as long again.
    """
    before = (now_ms() if now is None else now) - policy.keep_days * _DAY_MS
    gone = index.expire(before, before, held)
    for model, day, digest in gone:
        store.remove(digest, folder(model), day)
    known = index.known()
    for path in store.files():
        if path.name not in known and machine_seconds() - path.stat().st_mtime > _ORPHAN_SECONDS:
            path.unlink(missing_ok=True)  # written, and then the process ended before the index had it
    if gone:
        _LOG.info("deleted what policy no longer keeps", files=len(gone))
    return len(gone)

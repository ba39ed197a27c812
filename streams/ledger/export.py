"""Export of a ledger into a folder that anybody can verify without a broker; exported.py says what is in it."""

import shutil
import tempfile
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import file_digest, sha256
from itertools import count, islice
from pathlib import Path

import structlog

from agents.ledger.fold import Fold, Trust
from schemas.errors import HeadgateError, KeyRefusedError, LedgerError
from streams.ledger.exported import BUNDLE, CHECKPOINTS, ENTRIES, MANIFEST, SCHEMAS, Contents, Folder, bundle, pack
from streams.ledger.source import Source, Topic, own_note
from streams.ledger.verify import Progress, Report, Verification
from streams.settings import Settings

_LOG = structlog.get_logger("export")


def export_topic(
    settings: Settings,
    trust: Trust | None,
    folder: Path,
    *,
    force: bool = False,
    progress: Progress | None = None,
) -> Report:
    """Write the ledger in Kafka, up to its newest checkpoint, into a folder; see `export`."""
    return export(Topic(settings), trust, folder, force=force, progress=progress)


def export(
    source: Source,
    trust: Trust | None,
    folder: Path,
    *,
    force: bool = False,
    progress: Progress | None = None,
) -> Report:
    """Write a ledger into a new folder, and verify what was written before it appears.

    Raises
    ------
    LedgerError
        The ledger is broken. With `force` it is exported all the same, for an investigation: it will not verify.
    HeadgateError
        The folder is there and not empty, or cannot be written.
    """
    with _new_folder(folder) as temporary:
        _copy(source, trust, temporary)
        verification = Verification(Folder(temporary), trust)
        broken = None
        try:
            verification.run(progress=progress)
        except LedgerError as error:
            if not force:
                raise LedgerError(f"the ledger is broken and was not exported: {error}") from error
            _LOG.warning("a broken ledger is exported", reason=str(error))
            broken = error
        _write_rest(temporary, verification.contents())
        return verification.report(broken)


@contextmanager
def _new_folder(folder: Path) -> Iterator[Path]:
    """Give a folder beside the target, which takes the target's name only when all is written."""
    target = folder.absolute()
    try:
        if target.is_symlink() or (target.exists() and (not target.is_dir() or any(target.iterdir()))):
            raise HeadgateError(f"{folder} exists and is not an empty folder; name another one")
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
        try:
            yield temporary
            temporary.chmod(0o755)
            temporary.replace(target)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    except OSError as error:
        raise HeadgateError(f"{folder} cannot be written: {error.strerror}") from None


def _copy(source: Source, trust: Trust | None, folder: Path) -> None:
    """Write checkpoints and leaves as they stand; whether they are sound is found by reading what was written."""
    first = next(source.leaves(), None)
    if first is None:
        raise LedgerError("the ledger is empty; there is nothing to export")
    fold = Fold(trust)
    fold.add_leaf(0, first[1])
    size, foreign = 0, 0
    with (folder / CHECKPOINTS).open("wb") as file:
        for note in source.notes():
            try:
                checkpoint, own = own_note(fold, note)
            except (KeyRefusedError, LedgerError):
                foreign += 1
                continue
            size = max(size, checkpoint.size)
            file.write(b64encode(own) + b"\n")
    if size == 0:
        raise LedgerError("the log that is believed has signed no checkpoint of it; there is nothing to export")
    if foreign:
        _LOG.warning("notes that the ledger's log did not sign were left out", notes=foreign)
    (folder / ENTRIES).mkdir()
    leaves = (leaf for _, leaf in source.leaves())
    for number in count():
        held = list(islice(leaves, min(size - number * BUNDLE, BUNDLE)))
        if number == 0 or held:
            (folder / bundle(number)).write_bytes(b"".join(map(pack, held)))
        if len(held) < BUNDLE:
            return


def _write_rest(folder: Path, contents: Contents) -> None:
    """Write the files that follow from entries and checkpoints."""
    (folder / SCHEMAS).mkdir()
    digests = {name: _digest(folder / name) for name in [CHECKPOINTS, *_bundles(folder)]}
    for name, (data, _) in contents.files().items():
        (folder / name).write_bytes(data)
        digests[name] = sha256(data).hexdigest()
    (folder / MANIFEST).write_bytes(contents.manifest(digests))


def _bundles(folder: Path) -> list[str]:
    return [f"{ENTRIES}/{path.name}" for path in (folder / ENTRIES).iterdir()]


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()

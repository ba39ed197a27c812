"""The evidence package: what a stranger needs to check one incident, in a folder or a ZIP file."""

import shutil
import tempfile
import zipfile
from base64 import b64encode
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from agents.ledger.fold import Trust, Verified
from agents.ledger.state import LedgerState
from agents.reports.record import Record, record
from agents.reports.reports import FORMS
from schemas.errors import HeadgateError
from schemas.merkle import Tree, leaf_hash
from streams.ledger.export import export
from streams.ledger.exported import CHECKPOINT, Folder
from streams.ledger.keyring import write_trust
from streams.ledger.source import Reading, Source
from streams.reports import contents
from streams.reports.made import written
from streams.reports.sheet import Seal, sheet
from streams.reports.verify_package import FORMAT, MANIFEST, canonical, check

PDFS = ("summary", "mapping", *FORMS)
_ZIP_TIME = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What goes into a package.

    whole
        Whether the whole ledger goes along: only with it can the decisions be made again, because each rests on every
        entry before it; without it nothing of other incidents is handed over.
    documents
        Returns the documents of some digests that are there.
    sealed
        Returns the encrypted file of a digest; None where evidence is not handed over.
    forms
        The reports that go along as PDF.
    """

    incident: str
    names: Mapping[str, str]
    documents: Callable[[Collection[str]], Mapping[str, bytes]]
    sealed: Callable[[str], bytes] | None = None
    whole: bool = True
    forms: tuple[str, ...] = field(default=PDFS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """What was built: how many files, the SHA-256 of its manifest, and what its own verifier said."""

    files: int
    manifest: str
    said: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """An exported ledger, read and verified."""

    state: LedgerState
    entries: list[Verified]
    leaves: list[bytes]
    seal: Seal
    origin: str


def build(source: Source, trust: Trust, wanted: Wanted, out: Path) -> Built:
    """Build a package at a new place, and verify it as a stranger would before it appears there.

    Raises
    ------
    LedgerError
        The ledger is broken.
    HeadgateError
        There is no such incident, the place is taken or cannot be written, or the package does not verify.
    """
    target = out.absolute()
    if target.exists() or target.is_symlink():
        raise HeadgateError(f"{out} exists; name another place")
    target.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        folder = work / (target.stem if target.suffix == ".zip" else target.name)
        built = _fill(source, trust, wanted, folder)
        made = _zipped(folder, work / "package.zip") if target.suffix == ".zip" else folder
        made.replace(target)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return built


def _fill(source: Source, trust: Trust, wanted: Wanted, folder: Path) -> Built:
    folder.mkdir()
    export(source, trust, folder / "ledger")
    write_trust(folder / "trust.json", trust)
    read = _read(folder / "ledger", trust)
    case = read.state.cases.get(wanted.incident)
    if case is None:
        raise HeadgateError(f"the ledger holds no incident {wanted.incident[:80]}")
    told = record(case, read.entries, read.state.control, wanted.names)
    files = {
        "checkpoint": (folder / "ledger" / CHECKPOINT).read_bytes(),
        "verify.py": contents.verifier(),
        **_proofs(read, wanted.incident),
        **contents.documents(told, read.entries, wanted.documents),
        **contents.evidence(told, wanted.sealed),
        "logs.json": contents.logs(read.state.control.ledger),
        **_reports(told, read, wanted),
        "README.txt": contents.readme(told, read.seal, whole=wanted.whole, sealed=wanted.sealed is not None),
    }
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    if not wanted.whole:
        shutil.rmtree(folder / "ledger")
    manifest = _manifest(folder, read, wanted.incident)
    (folder / MANIFEST).write_bytes(manifest)
    good, said = check(folder)
    if not good:
        raise HeadgateError(f"the package does not verify and was not written: {said[-1]}")
    return Built(files=len(list(_files(folder))), manifest=sha256(manifest).hexdigest(), said=tuple(said))


def _read(folder: Path, trust: Trust) -> _Read:
    reading, entries, leaves = Reading(Folder(folder), trust), list[Verified](), list[bytes]()
    for found in reading:
        leaves.append(found.leaf)
        if found.entry is not None:
            entries.append(found)
    control = reading.fold.state.control
    seal = Seal(ledger=control.ledger, genesis=reading.genesis, size=len(leaves), root=reading.root.hex())
    return _Read(state=reading.fold.state, entries=entries, leaves=leaves, seal=seal, origin=reading.origin)


def _proofs(read: _Read, incident: str) -> dict[str, bytes]:
    """Return the incident's entries and those on keys and documents, each with its proof; and their schemas."""
    tree = Tree(leaf_hash(leaf) for leaf in read.leaves)
    chosen = [one for one in read.entries if contents.speaks_of(one, incident)]
    rows = [
        {
            "index": one.index,
            "leaf": b64encode(one.leaf).decode(),
            "proof": [node.hex() for node in tree.inclusion_proof(one.index, tree.size)],
        }
        for one in chosen
    ]
    return {"entries.json": canonical({"entries": rows, "incident": incident}), **contents.schemas(chosen)}


def _reports(told: Record, read: _Read, wanted: Wanted) -> dict[str, bytes]:
    files = {}
    for form in wanted.forms:
        found = sheet(form, told, read.entries, read.seal, wanted.names)
        files[f"reports/{form}.pdf"] = written(found, "pdf")
        if form == "summary":
            files["reports/summary.md"] = written(found, "md")
            files["reports/summary.html"] = written(found, "html")
    return files


def _manifest(folder: Path, read: _Read, incident: str) -> bytes:
    digests = {}
    for path in _files(folder):
        data = path.read_bytes()
        digests[path.relative_to(folder).as_posix()] = {"bytes": len(data), "sha256": sha256(data).hexdigest()}
    return canonical(
        {
            "files": digests,
            "format": FORMAT,
            "genesis": read.seal.genesis,
            "incident": incident,
            "origin": read.origin,
            "root": read.seal.root,
            "size": read.seal.size,
        }
    )


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _zipped(folder: Path, target: Path) -> Path:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in _files(folder):
            name = f"{folder.name}/{path.relative_to(folder).as_posix()}"
            archive.writestr(zipfile.ZipInfo(name, _ZIP_TIME), path.read_bytes(), zipfile.ZIP_DEFLATED)
    return target

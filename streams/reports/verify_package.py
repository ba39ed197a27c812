"""Verifies an evidence package of Headgate; it needs Python 3.11 or newer and nothing else.

usage: python verify.py [--trust FILE] [DIR]

DIR is the unpacked package, by default the folder of this file. FILE is a trust file that came from the operator by
another way than this package; without it the package proves that it is consistent, and not whose it is.

What is checked: every file against MANIFEST.json, the signature of the checkpoint (Ed25519, RFC 8032), the place of
each entry of the incident in the ledger (Merkle tree, RFC 9162), and the signature of whoever asked for it. Where
Headgate is installed, every decision in the ledger is made again. The exit status is 0 where nothing is wrong.
"""

import base64
import hashlib
import json
import os
import sys
from pathlib import Path
from typing import Any

from streams.reports.proofs import WrongError, decoded, included, require, root_of, signed, statement

FORMAT = "headgate-evidence-1"
MANIFEST = "MANIFEST.json"
MAX_FILE = 1 << 31


def log_key(line: str) -> tuple[str, bytes, bytes]:
    """Return name, hash and Ed25519 key of a log from a line ``name+hash+base64`` (C2SP signed-note)."""
    name, digest, material = line.split("+", 2)
    raw = base64.b64decode(material, validate=True)
    require(raw[:1] == b"\x01", "the log key is no Ed25519 key")
    wanted = hashlib.sha256(name.encode() + b"\n" + raw).digest()[:4]
    require(wanted.hex() == digest, "the log key in the trust file contradicts itself")
    return name, wanted, raw[1:]


class Package:
    """An unpacked evidence package."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.manifest: dict[str, Any] = {}

    def bytes_of(self, name: str) -> bytes:
        """Return what a regular file of the package holds."""
        path = self.folder / name
        require(path.is_file() and not path.is_symlink(), f"{name} is missing, or is no regular file")
        require(path.stat().st_size < MAX_FILE, f"{name} is too large")
        return path.read_bytes()

    def json_of(self, name: str) -> dict[str, Any]:
        """Return the object in a JSON file."""
        found = json.loads(self.bytes_of(name))
        require(isinstance(found, dict), f"{name} does not hold what it should")
        return dict(found)

    def check_files(self) -> str:
        """Compare every file with the manifest, and the manifest with its one form."""
        raw = self.bytes_of(MANIFEST)
        manifest = self.json_of(MANIFEST)
        require(raw == canonical(manifest), f"{MANIFEST} is not in its one form")
        require(manifest.get("format") == FORMAT, f"{MANIFEST} is of another format")
        found = set()
        for directory, folders, files in os.walk(self.folder):
            for name in [*folders, *files]:
                require(not (Path(directory) / name).is_symlink(), f"{name[:100]} is a link")
            found |= {(Path(directory) / name).relative_to(self.folder).as_posix() for name in files}
        listed = manifest["files"]
        extra, missing = sorted(found - {MANIFEST, *listed}), sorted({*listed} - found)
        require(not extra, f"{extra[:1]} is not named in {MANIFEST}")
        require(not missing, f"{missing[:1]} is missing")
        for name in sorted(listed):
            data = self.bytes_of(name)
            told = {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
            require(listed[name] == told, f"{name} was changed: it does not have the SHA-256 that {MANIFEST} names")
        self.manifest = manifest
        return f"{len(listed)} files are as {MANIFEST} says (its own SHA-256: {hashlib.sha256(raw).hexdigest()})"

    def check_checkpoint(self, believed: dict[str, Any]) -> str:
        """Check the signature of the log over size and root."""
        name, wanted, public = log_key(believed["log"])
        body, _, tail = self.bytes_of("checkpoint").decode().rpartition("\n\n")
        body += "\n"
        lines = [line.split(" ") for line in tail.splitlines()]
        values = [base64.b64decode(line[2], validate=True) for line in lines if line[:2] == ["—", name]]
        good = [one for one in values if one[:4] == wanted and signed(public, one[4:], body.encode())]
        require(good and len(good) == len(lines), "the log did not sign the checkpoint")
        origin, size, root = body.split("\n")[:3]
        told = {"origin": origin, "size": int(size), "root": base64.b64decode(root, validate=True).hex()}
        for key, value in {**told, "genesis": believed["genesis"]}.items():
            require(self.manifest[key] == value, f"{MANIFEST} names another {key} than checkpoint and trust file")
        require(origin == name == believed["origin"], "checkpoint and trust file are of different ledgers")
        return f"the log {name} signed the checkpoint of {size} entries, root {told['root']}"

    def check_entries(self) -> str:
        """Check the place of each entry in the tree, and who asked for it."""
        root, size, incident = bytes.fromhex(self.manifest["root"]), self.manifest["size"], self.manifest["incident"]
        files = self.json_of("schemas/index.json")
        keys: dict[str, bytes] = {}
        rows, own = self.json_of("entries.json")["entries"], 0
        require([row["index"] for row in rows] == sorted({row["index"] for row in rows}), "entries are out of order")
        for row in rows:
            index, leaf = row["index"], base64.b64decode(row["leaf"], validate=True)
            proof = [bytes.fromhex(one) for one in row["proof"]]
            require(included(leaf, index, size, proof, root), f"entry {index} is not where it says it is")
            require(index or hashlib.sha256(leaf).hexdigest() == self.manifest["genesis"], "entry 0 is no genesis")
            entry = decoded(leaf[5:], self.json_of(f"schemas/{files[str(int.from_bytes(leaf[1:5], 'big'))]}"))
            require(entry["index"] == index, f"entry {index} names another index")
            command = decoded(entry["command"], self.json_of(f"schemas/{files['Command']}"))
            if index == 0:
                self._enrol(entry, files, keys)
            key = keys.get(command["key"])
            require(key is not None, f"entry {index}: the key {command['key'][:40]} is not enrolled, or was revoked")
            require(signed(key or b"", command["signature"], statement(command)), f"entry {index}: not signed")
            require(index == 0 or command["origin"] == self.manifest["genesis"], f"entry {index}: another ledger")
            own += command["incident"] == incident
            if index:
                self._enrol(entry, files, keys)
        require(own, f"no entry speaks of the incident {incident}")
        return f"{own} entries of the incident and {len(rows) - own} on keys and documents stand in it, each signed"

    def _enrol(self, entry: dict[str, Any], files: dict[str, Any], keys: dict[str, bytes]) -> None:
        """Learn keys from an entry, and forget those that it revokes."""
        for event in entry["events"]:
            if event["type"] not in ("LedgerEstablished", "KeyEnrolled", "KeyRevoked"):
                continue
            name = files[f"{event['type']}:{event['fingerprint'].hex()}"]
            told = decoded(event["body"], self.json_of(f"schemas/{name}"))
            for one in told.get("enrolments") or [told[part] for part in ("enrolment",) if part in told]:
                raw = one["public_key"]
                keys[hashlib.sha256(raw).hexdigest()[:16]] = raw
            keys.pop(told.get("key", ""), None)

    def check_ledger(self) -> str:
        """Compute the root over the whole ledger, where it is part of the package."""
        if not (self.folder / "ledger").is_dir():
            return "not checked: the package holds the entries of this incident only, not the whole ledger"
        leaves = [leaf for path in sorted((self.folder / "ledger" / "entries").iterdir()) for leaf in _leaves(path)]
        require(len(leaves) == self.manifest["size"], "the ledger does not have as many entries as its checkpoint says")
        require(root_of(leaves).hex() == self.manifest["root"], "the ledger's entries lead to another root")
        require(self.bytes_of("ledger/checkpoint") == self.bytes_of("checkpoint"), "there are two checkpoints")
        return f"the whole ledger of {len(leaves)} entries has that root"

    def check_documents(self) -> str:
        """Compare documents and sealed evidence with the digests that they are named by."""
        count = 0
        for name in self.manifest["files"]:
            folder, _, file = name.rpartition("/")
            if folder in ("documents", "evidence/sealed"):
                digest = file.split(".")[0].split("-")[-1]
                data = hashlib.sha256(self.bytes_of(name)).hexdigest()
                require(data == digest, f"{name} does not have the digest that it is named by")
                count += 1
        return f"{count} documents and sealed files have the digests that the ledger names them by"

    def decide_again(self, trust: Path) -> str:
        """Make every decision again, where Headgate is installed."""
        if not (self.folder / "ledger").is_dir():
            return "not possible: it needs the whole ledger, because a decision rests on every entry before it"
        try:
            from streams.ledger.keyring import read_trust
            from streams.ledger.verify import verify_folder
        except ImportError:
            return "not done: Headgate is not installed here; with it, run: headgate audit verify ledger"
        report = verify_folder(self.folder / "ledger", trust=read_trust(trust))
        require(report.verified, report.sentence())
        return f"{report.entries} entries were decided again, all as they stand"


def _leaves(path: Path) -> list[bytes]:
    data, at, found = path.read_bytes(), 0, []
    while at < len(data):
        size, at = int.from_bytes(data[at : at + 2], "big"), at + 2
        if size == 0:
            size, at = int.from_bytes(data[at : at + 4], "big"), at + 4
        require(at + size <= len(data), f"{path.name} ends inside an entry")
        found.append(data[at : at + size])
        at += size
    return found


def canonical(document: object) -> bytes:
    """Return a document in its one form."""
    return (json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()


def check(folder: Path, trust: Path | None = None) -> tuple[bool, list[str]]:
    """Return whether nothing is wrong, and a line for each thing that was looked at."""
    package = Package(folder)
    believed = trust or folder / "trust.json"
    said = []
    try:
        said.append(f"files: {package.check_files()}")
        said.append(f"checkpoint: {package.check_checkpoint(json.loads(believed.read_bytes()))}")
        said.append(f"entries: {package.check_entries()}")
        said.append(f"ledger: {package.check_ledger()}")
        said.append(f"documents: {package.check_documents()}")
        said.append(f"decisions: {package.decide_again(believed)}")
    except (WrongError, OSError, ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError) as error:
        return False, [*said, f"WRONG: {error if isinstance(error, WrongError) else repr(error)[:300]}"]
    whose = (
        "the operator's trust file"
        if trust
        else "the package's own trust.json: compare its genesis with another source"
    )
    return True, [*said, f"identity: by {whose}"]


def main(arguments: list[str]) -> int:
    """Verify the package that the arguments name."""
    trust = None
    if arguments[:1] == ["--trust"] and len(arguments) > 1:
        trust, arguments = Path(arguments[1]), arguments[2:]
    if len(arguments) > 1 or arguments[:1] in (["-h"], ["--help"]):
        sys.stdout.write(__doc__ or "")
        return 2
    good, said = check(Path(arguments[0]) if arguments else Path(__file__).resolve().parent, trust)
    sys.stdout.write("\n".join([*said, "VERIFIED" if good else "NOT VERIFIED", ""]))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

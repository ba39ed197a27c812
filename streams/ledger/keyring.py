"""Key files of this machine: one PEM a role or person, its public line beside it with the principal's random id."""

import contextlib
import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from agents.ledger.fold import Trust
from schemas.errors import HeadgateError, KeyRefusedError
from schemas.keys import PrivateKey, PublicKey
from schemas.note import Verifier
from streams.settings import Settings

SERVICES = ("registrar", "triage", "approval", "remediation", "recovery", "evidence", "paging")
_MAX_FILE = 16 * 1024


@dataclass(frozen=True, slots=True)
class Identity:
    """A key, and the principal that it acts for."""

    name: str
    principal: str
    key: PrivateKey


def create(directory: Path, name: str, passphrase: bytes | None = None) -> Identity:
    """Make a key and write `<name>.pem` (mode 600) and `<name>.pub`; KeyRefusedError if there is one already."""
    key = PrivateKey.generate(secrets.token_bytes(32))
    principal, private = f"p-{secrets.token_hex(8)}", directory / f"{name}.pem"
    pem = key.to_pem(passphrase)
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise HeadgateError(f"{directory} cannot be made: {error.strerror}") from None
    try:
        _write_new(private, pem, 0o600)
    except FileExistsError:
        raise KeyRefusedError(f"{private} exists; choose another name, or use it") from None
    except OSError as error:
        raise HeadgateError(f"{private} cannot be written: {error.strerror}") from None
    try:
        (directory / f"{name}.pub").write_text(key.public.to_line(principal), encoding="utf-8")
    except OSError as error:
        private.unlink(missing_ok=True)  # half a key would stand in the way of the next attempt
        raise HeadgateError(f"{directory / name}.pub cannot be written: {error.strerror}") from None
    return Identity(name, principal, key)


def load(directory: Path, name: str, passphrase: bytes | None = None) -> Identity:
    """Read a key by its name; KeyRefusedError says what to do where there is none."""
    try:
        pem = (directory / f"{name}.pem").read_bytes()
    except OSError:
        raise KeyRefusedError(f"there is no key {name} in {directory}; `headgate keys new {name}` makes one") from None
    _, principal = load_public(directory / f"{name}.pub")
    try:
        return Identity(name, principal, PrivateKey.from_pem(pem, passphrase))
    except KeyRefusedError as error:
        raise KeyRefusedError(f"{directory / name}.pem: {error}") from None


def load_public(path: Path) -> tuple[PublicKey, str]:
    """Read a public line; return the key and the principal id in its comment."""
    try:
        text = path.read_text(encoding="utf-8")[:_MAX_FILE]
    except (OSError, UnicodeDecodeError):
        raise KeyRefusedError(f"{path} is no readable public key file") from None
    try:
        public, principal = PublicKey.from_line(text.strip("\n"))
    except KeyRefusedError as error:
        raise KeyRefusedError(f"{path}: {error}") from None
    if not principal:
        raise KeyRefusedError(f"{path} names no principal after its key")
    return public, principal


def state_key(directory: Path) -> bytes:
    """Return the key that authenticates detectors' snapshots, made at the first use."""
    return _secret(directory / "state.key", "lose the detectors' state")


def archive_key(directory: Path) -> bytes:
    """Return the key of archive and evidence, made at the first use: who loses it loses them."""
    return _secret(directory / "archive.key", "lose the archive and all evidence")


def _secret(path: Path, lost: str) -> bytes:
    directory = path.parent
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    with contextlib.suppress(FileExistsError):  # another worker made it first
        _write_new(path, secrets.token_bytes(32), 0o600)
    key = path.read_bytes()
    if len(key) != 32:
        raise KeyRefusedError(f"{path} does not hold 32 bytes; restore it, or delete it and {lost}")
    return key


def write_trust(path: Path, trust: Trust) -> None:
    """Write a trust file: whom a verifier believes. It is public; what matters is that it came from the right hands."""
    document = {"genesis": trust.genesis, "log": trust.log.to_vkey(), "origin": trust.log.name, "witnesses": []}
    temporary = path.with_suffix(".new")
    try:
        temporary.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
        temporary.replace(path)
    except OSError as error:
        raise HeadgateError(f"{path} cannot be written: {error.strerror}") from None


def read_trust(path: Path) -> Trust:
    """Read a trust file; KeyRefusedError where it is none."""
    try:
        document = json.loads(path.read_text(encoding="utf-8")[:_MAX_FILE])
        log = Verifier.from_vkey(document["log"])
        genesis = bytes.fromhex(document["genesis"])
    except FileNotFoundError:
        raise KeyRefusedError(
            f"there is no trust file {path}; run `headgate init`, or copy it from whoever began the ledger"
        ) from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise KeyRefusedError(f"{path} is no trust file: it holds origin, genesis, log and witnesses as JSON") from None
    if len(genesis) != 32 or document.get("origin") != log.name:
        raise KeyRefusedError(f"{path} contradicts itself: origin and log key name different ledgers")
    return Trust(genesis=document["genesis"], log=log)


def trust_path(settings: Settings) -> Path:
    """Where this machine's trust file is."""
    return settings.var / "trust.json"


def _write_new(path: Path, data: bytes, mode: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(descriptor)
    except OSError:
        path.unlink(missing_ok=True)  # a full disk leaves an empty file, which is no key
        raise

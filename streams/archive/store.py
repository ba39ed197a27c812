"""A directory of sealed files, each named by SHA-256 of its bytes; what is in it is durable before its name is told."""

import hashlib
import os
import re
import secrets
from collections.abc import Iterator
from pathlib import Path

from schemas.errors import HeadgateError, KeyRefusedError
from streams.archive.sealed import seal, unseal

MAX_FILE = 1 << 30
_NAME = re.compile(r"[0-9a-f]{64}")


class SealedStore:
    """Files by digest.

    Parameters
    ----------
    directory
        Where they are; made with mode 700 when the first is put.
    key
        The archive's key (streams.ledger.keyring.archive_key).
    """

    def __init__(self, directory: Path, key: bytes) -> None:
        self.directory = directory
        self._key = key

    def put(self, data: bytes, *below: str) -> str:
        """Keep the bytes, encrypted, in a folder below; return the digest of the file, which is on the disk by then."""
        folder = self.directory
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for name in below:  # one by one: of several that are made at once only the last gets the mode
            folder = folder / name
            folder.mkdir(exist_ok=True, mode=0o700)
        temporary = folder / f".{secrets.token_hex(8)}"
        hashed = hashlib.sha256()
        try:
            with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                for part in seal(data, self._key):
                    hashed.update(part)
                    file.write(part)
                file.flush()
                os.fsync(file.fileno())
            temporary.rename(folder / hashed.hexdigest())
        except OSError:
            temporary.unlink(missing_ok=True)
            raise
        _sync(folder)
        return hashed.hexdigest()

    def get(self, digest: str, *below: str) -> bytes:
        """Return what was put under a digest.

        Raises
        ------
        HeadgateError
            There is no such file.
        KeyRefusedError
            The file is not what its name says, or cannot be decrypted.
        """
        if _NAME.fullmatch(digest) is None:
            raise KeyRefusedError(f"{digest[:80]!r} is no digest: it has 64 small hexadecimal digits")
        path = self.directory.joinpath(*below, digest)
        try:
            with path.open("rb") as file:
                data = file.read(MAX_FILE)
        except FileNotFoundError:
            raise HeadgateError(f"{path} is not there; was it deleted, or is the archive elsewhere?") from None
        if hashlib.sha256(data).hexdigest() != digest:
            raise KeyRefusedError(f"{path} was changed: its bytes do not have the digest that it is named by")
        return unseal(data, self._key)

    def remove(self, digest: str, *below: str) -> None:
        """Delete a file, if it is there."""
        self.directory.joinpath(*below, digest).unlink(missing_ok=True)

    def files(self) -> Iterator[Path]:
        """Yield every sealed file."""
        return (path for path in self.directory.rglob("*") if _NAME.fullmatch(path.name) and path.is_file())


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

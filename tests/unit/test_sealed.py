"""Sealed files: what is read back is what was put, or an error says that it is not."""

from pathlib import Path

import pytest

from schemas.errors import HeadgateError, KeyRefusedError
from streams.archive.sealed import CHUNK, seal, unseal
from streams.archive.store import SealedStore

KEY = b"k" * 32


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK])
def test_what_was_sealed_comes_back(size: int) -> None:
    """Also where the bytes are none, or end with a chunk; and the same bytes never give the same file."""
    data = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    file = b"".join(seal(data, KEY))
    assert unseal(file, KEY) == data
    assert b"".join(seal(data, KEY)) != file


def test_no_byte_of_a_file_can_be_changed() -> None:
    """Header, wrapped key, each chunk and its tag: every flipped bit, and every cut, is refused."""
    file = b"".join(seal(b"secret inputs" * 3, KEY))
    assert b"secret" not in file
    for at in range(len(file)):
        with pytest.raises(KeyRefusedError):
            unseal(file[:at] + bytes([file[at] ^ 1]) + file[at + 1 :], KEY)
        with pytest.raises(KeyRefusedError):
            unseal(file[:at], KEY)
    with pytest.raises(KeyRefusedError):
        unseal(file + b"\0", KEY)
    with pytest.raises(KeyRefusedError, match="another key"):
        unseal(file, b"j" * 32)


def test_whole_chunks_cannot_be_cut_off_or_moved() -> None:
    """The nonce counts the chunks and marks the last one."""
    header, *chunks = list(seal(b"a" * CHUNK + b"b" * CHUNK + b"c", KEY))
    for wrong in (chunks[:2], chunks[1:], [chunks[1], chunks[0], chunks[2]], [*chunks, chunks[2]]):
        with pytest.raises(KeyRefusedError):
            unseal(header + b"".join(wrong), KEY)


def test_a_stored_file_is_named_by_its_digest(tmp_path: Path) -> None:
    """It is read back by that name; a changed file, a missing one and a name that is no digest are refused."""
    store = SealedStore(tmp_path / "s", KEY)
    digest = store.put(b"rows", "model", "day")
    assert store.get(digest, "model", "day") == b"rows"
    assert [path.name for path in store.files()] == [digest]
    path = tmp_path / "s" / "model" / "day" / digest
    assert (path.stat().st_mode & 0o777, (tmp_path / "s").stat().st_mode & 0o777) == (0o600, 0o700)
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    with pytest.raises(KeyRefusedError, match="was changed"):
        store.get(digest, "model", "day")
    with pytest.raises(KeyRefusedError, match="no digest"):
        store.get("../" + digest[3:])
    store.remove(digest, "model", "day")
    with pytest.raises(HeadgateError, match="is not there"):
        store.get(digest, "model", "day")

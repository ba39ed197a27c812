"""Key files and trust files: written once, read back whole, and one sentence for each way they can be wrong."""

import stat
from pathlib import Path

import pytest

from agents.ledger.fold import Trust
from schemas.errors import HeadgateError, KeyRefusedError
from schemas.note import Verifier
from streams.ledger.keyring import create, load, load_public, read_trust, state_key, write_trust

PHRASE = b"correct horse battery"


def test_a_key_is_read_back_as_it_was_made(tmp_path: Path) -> None:
    """Key and principal survive the files, and only its owner can read the private one."""
    made = create(tmp_path / "keys", "ana")
    read = load(tmp_path / "keys", "ana")
    assert (read.name, read.principal, read.key.key_id) == ("ana", made.principal, made.key.key_id)
    assert stat.S_IMODE((tmp_path / "keys" / "ana.pem").stat().st_mode) == 0o600
    public, principal = load_public(tmp_path / "keys" / "ana.pub")
    public.verify(read.key.sign(b"word"), b"word")
    assert principal == made.principal


def test_two_keys_name_two_principals(tmp_path: Path) -> None:
    """A principal's id is random: it tells nobody's name, and no two are the same."""
    first, second = create(tmp_path, "ana"), create(tmp_path, "ben")
    assert first.principal != second.principal
    assert "ana" not in first.principal


def test_a_key_is_never_overwritten(tmp_path: Path) -> None:
    """Making a key under a name that is taken is refused, and the first key stays."""
    made = create(tmp_path, "ana")
    with pytest.raises(KeyRefusedError, match="exists"):
        create(tmp_path, "ana")
    assert load(tmp_path, "ana").key.key_id == made.key.key_id


def test_a_protected_key_opens_with_its_passphrase_only(tmp_path: Path) -> None:
    """Without the passphrase, or with another, the key stays shut; a short passphrase makes no key at all."""
    made = create(tmp_path, "ana", PHRASE)
    assert load(tmp_path, "ana", PHRASE).key.key_id == made.key.key_id
    with pytest.raises(KeyRefusedError, match="needs a passphrase"):
        load(tmp_path, "ana")
    with pytest.raises(KeyRefusedError, match="another"):
        load(tmp_path, "ana", PHRASE + b"!")
    with pytest.raises(KeyRefusedError, match="12 to 1023"):
        create(tmp_path, "ben", b"short")
    assert not (tmp_path / "ben.pem").exists()


def test_an_absent_key_says_how_to_make_one(tmp_path: Path) -> None:
    """The sentence names the command."""
    with pytest.raises(KeyRefusedError, match="headgate keys new ana"):
        load(tmp_path, "ana")


@pytest.mark.parametrize("text", ["", "no key\n", "headgate-ed25519 AAAA p-1\n", "headgate-ed25519 \n"])
def test_a_damaged_public_key_is_refused(tmp_path: Path, text: str) -> None:
    """What is no line of a sound public key is no key."""
    path = tmp_path / "x.pub"
    path.write_text(text)
    with pytest.raises(KeyRefusedError):
        load_public(path)


def test_a_public_key_without_a_principal_is_refused(tmp_path: Path) -> None:
    """A key that acts for nobody cannot be enrolled; a file that is no text is no key file."""
    key = create(tmp_path, "ana").key
    (tmp_path / "ana.pub").write_text(key.public.to_line())
    with pytest.raises(KeyRefusedError, match="names no principal"):
        load_public(tmp_path / "ana.pub")
    (tmp_path / "ana.pub").write_bytes(b"\xff\xfe")
    with pytest.raises(KeyRefusedError, match="no readable"):
        load_public(tmp_path / "ana.pub")


def test_keys_cannot_be_kept_where_nothing_can_be_written(tmp_path: Path) -> None:
    """A directory that is a file is one sentence with its path."""
    (tmp_path / "file").write_text("")
    with pytest.raises(HeadgateError, match="cannot be made: Not a directory"):
        create(tmp_path / "file" / "keys", "ana")
    (tmp_path / "ana.pub").mkdir()
    with pytest.raises(HeadgateError, match=r"ana\.pub cannot be written"):
        create(tmp_path, "ana")
    assert not (tmp_path / "ana.pem").exists()


def test_the_state_key_stays_the_same(tmp_path: Path) -> None:
    """It is made once; a damaged one is never replaced in silence."""
    first = state_key(tmp_path)
    assert len(first) == 32
    assert state_key(tmp_path) == first
    (tmp_path / "state.key").write_bytes(b"short")
    with pytest.raises(KeyRefusedError, match="32 bytes"):
        state_key(tmp_path)


def test_a_trust_file_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    """Genesis and log key survive the file."""
    trust = Trust(genesis="ab" * 32, log=Verifier("play", create(tmp_path, "log").key.public))
    write_trust(tmp_path / "trust.json", trust)
    assert read_trust(tmp_path / "trust.json") == trust
    with pytest.raises(HeadgateError, match="cannot be written"):
        write_trust(tmp_path / "absent" / "trust.json", trust)


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", '{"log": 1, "genesis": "ab"}', "\xff", '{"log": "x+1+y"}'])
def test_what_is_no_trust_file_is_refused(tmp_path: Path, text: str) -> None:
    """Nobody is believed because of a damaged file, and its path is named."""
    path = tmp_path / "trust.json"
    path.write_text(text, encoding="latin-1")
    with pytest.raises(KeyRefusedError):
        read_trust(path)


def test_a_trust_file_that_names_two_ledgers_is_refused(tmp_path: Path) -> None:
    """Origin and log key must be of one ledger, and an absent file says where one comes from."""
    path = tmp_path / "trust.json"
    write_trust(path, Trust(genesis="ab" * 32, log=Verifier("play", create(tmp_path, "log").key.public)))
    path.write_text(path.read_text().replace('"origin": "play"', '"origin": "other"'))
    with pytest.raises(KeyRefusedError, match="contradicts itself"):
        read_trust(path)
    with pytest.raises(KeyRefusedError, match="copy it from whoever began"):
        read_trust(tmp_path / "absent.json")

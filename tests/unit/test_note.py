"""Signed notes: what opens, what does not, and that a published log's checkpoints are read."""

from base64 import b64encode
from hashlib import sha256
from pathlib import Path

import pytest

from schemas import merkle, note
from schemas.errors import KeyRefusedError, LedgerError
from schemas.keys import PrivateKey
from schemas.note import Checkpoint, Verifier, cosign, open_cosigned, open_note, sign

KEY = PrivateKey.generate(bytes(range(32)))
WITNESS_KEY = PrivateKey.generate(bytes(range(1, 33)))
ORIGIN = "ledger.example/log"
LOG = Verifier(ORIGIN, KEY.public)
WITNESS = Verifier("witness.example/w1", WITNESS_KEY.public, note.COSIGNATURE_V1)
CHECKPOINT = Checkpoint(ORIGIN, 12, merkle.leaf_hash(b"entry"))
BODY = CHECKPOINT.to_text()
SIGNED = sign(CHECKPOINT, ORIGIN, KEY)


def test_every_checkpoint_of_a_published_log_opens_and_names_the_root_of_its_tile(data: Path) -> None:
    """The 17 checkpoints of Tessera's test log verify, and each root follows from the leaf hashes."""
    folder = data / "vectors" / "tessera"
    verifier = Verifier.from_vkey((folder / "verifier.vkey").read_text().strip())
    paths = sorted((folder / "log").glob("checkpoint*"))
    for path in paths:
        body, names = open_note(path.read_bytes(), [verifier])
        checkpoint = Checkpoint.parse(body)
        assert (names, checkpoint.origin) == ([verifier.name], verifier.name)
        tile = folder / "log" / "tile" / "0" / "000.p" / str(checkpoint.size)
        hashes = tile.read_bytes() if checkpoint.size else b""
        assert merkle.root(hashes[i : i + 32] for i in range(0, len(hashes), 32)) == checkpoint.root
    assert len(paths) == 17


def test_a_checkpoint_is_three_lines() -> None:
    """Origin, size and base64 root, each ended by a newline, and read back as they were."""
    assert f"{ORIGIN}\n12\n{b64encode(CHECKPOINT.root).decode()}\n" == BODY
    assert Checkpoint.parse(BODY) == CHECKPOINT


def test_extension_lines_are_tolerated_and_not_written() -> None:
    """A foreign log's extra lines do not hinder reading, and do not come back."""
    assert Checkpoint.parse(BODY + "extension one\nextension two\n").to_text() == BODY


ROOT = b64encode(CHECKPOINT.root).decode()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        f"{ORIGIN}\n12\n",
        f"{ORIGIN}\n12\n{ROOT}",
        f"\n12\n{ROOT}\n",
        f"{ORIGIN}\n012\n{ROOT}\n",
        f"{ORIGIN}\n+12\n{ROOT}\n",
        f"{ORIGIN}\n1_2\n{ROOT}\n",
        f"{ORIGIN}\n\u0661\u0662\n{ROOT}\n",
        f"{ORIGIN}\n-1\n{ROOT}\n",
        f"{ORIGIN}\n9223372036854775808\n{ROOT}\n",
        f"{ORIGIN}\n{'9' * 5000}\n{ROOT}\n",
        f"{ORIGIN}\n12\n{ROOT[:-1]}\n",
        f"{ORIGIN}\n12\nAAAA\n",
        f"{ORIGIN}\n12\n{ROOT}\n\n",
        f"{ORIGIN}\n12\n{ROOT}\next\n\next\n",
        f"{ORIGIN}\r\n12\n{ROOT}\n",
        f"{'x' * 256}\n12\n{ROOT}\n",
        f"\ud800\n12\n{ROOT}\n",
    ],
)
def test_a_malformed_checkpoint_is_refused(text: str) -> None:
    """Only the one form of the specification is read."""
    with pytest.raises(LedgerError):
        Checkpoint.parse(text)


@pytest.mark.parametrize(
    ("origin", "size", "root"),
    [("", 0, bytes(32)), ("a\nb", 0, bytes(32)), ("o", -1, bytes(32)), ("o", 2**63, bytes(32)), ("o", 0, b"")],
)
def test_a_checkpoint_that_could_not_be_read_cannot_be_made(origin: str, size: int, root: bytes) -> None:
    """Origin, size and root are checked when they are put together, before anything is signed."""
    with pytest.raises(LedgerError):
        Checkpoint(origin, size, root)


def test_a_signed_note_opens_as_text_and_as_bytes() -> None:
    """The text that was signed and the name of the signer come out."""
    assert open_note(SIGNED, [LOG]) == open_note(SIGNED.encode(), [LOG]) == (BODY, [ORIGIN])


def test_the_signature_line_is_made_as_the_specification_says() -> None:
    """Key hash and signature over the text, computed here by hand, stand in the line."""
    key_hash = sha256(ORIGIN.encode() + b"\n\x01" + KEY.public.raw).digest()[:4]
    encoded = b64encode(key_hash + KEY.sign(BODY.encode())).decode()
    assert f"{BODY}\n— {ORIGIN} {encoded}\n" == SIGNED


def test_a_cosignature_is_made_as_the_specification_says() -> None:
    """Header, time and text are what a witness signs; the line carries the time in eight bytes."""
    line = cosign(BODY, WITNESS.name, WITNESS_KEY, 1_679_315_147)
    key_hash = sha256(WITNESS.name.encode() + b"\n\x04" + WITNESS_KEY.public.raw).digest()[:4]
    signature = WITNESS_KEY.sign(b"cosignature/v1\ntime 1679315147\n" + BODY.encode())
    value = key_hash + (1_679_315_147).to_bytes(8, "big") + signature
    assert line == f"— {WITNESS.name} {b64encode(value).decode()}\n"
    assert open_cosigned(SIGNED + line, [LOG, WITNESS]) == (BODY, {LOG: 0, WITNESS: 1_679_315_147})


def test_a_repeated_cosignature_counts_once_at_its_earliest_time() -> None:
    """Two lines of one witness are one witness."""
    lines = "".join(cosign(BODY, WITNESS.name, WITNESS_KEY, at) for at in (300, 200, 400))
    assert open_cosigned(f"{BODY}\n{lines}", [WITNESS]) == (BODY, {WITNESS: 200})


def test_a_cosignature_at_another_time_does_not_verify() -> None:
    """The time is under the signature."""
    value = (5).to_bytes(8, "big") + WITNESS_KEY.sign(b"cosignature/v1\ntime 6\n" + BODY.encode())
    with pytest.raises(KeyRefusedError, match="does not verify"):
        WITNESS.verify(BODY, value)


@pytest.mark.parametrize("value", [b"", bytes(71), bytes(73), b"\xff" * 72])
def test_a_cosignature_of_another_shape_is_refused(value: bytes) -> None:
    """Wrong lengths and times beyond 2^63 - 1 are refused."""
    with pytest.raises(KeyRefusedError, match="cosignature"):
        WITNESS.verify(BODY, value)


@pytest.mark.parametrize("at", [-1, 0, 2**63])
def test_a_witness_states_a_time_that_exists(at: int) -> None:
    """A time that no clock shows is not signed."""
    with pytest.raises(KeyRefusedError, match="time"):
        cosign(BODY, WITNESS.name, WITNESS_KEY, at)


def test_a_witness_signs_checkpoints_only() -> None:
    """Text that is no checkpoint gets no cosignature."""
    with pytest.raises(LedgerError):
        cosign("anything\n", WITNESS.name, WITNESS_KEY, 1)


def test_signatures_of_unknown_keys_are_ignored() -> None:
    """The same name with another key, or the same key under another name, does no harm."""
    stranger = sign(CHECKPOINT, ORIGIN, WITNESS_KEY).rpartition("\n\n")[2]
    renamed = sign(CHECKPOINT, "other.example", KEY).rpartition("\n\n")[2]
    assert open_note(SIGNED + stranger + renamed, [LOG]) == (BODY, [ORIGIN])


def test_a_note_without_a_known_signer_is_refused() -> None:
    """Neither no verifier nor the wrong one opens a note."""
    for verifiers in ([], [WITNESS]):
        with pytest.raises(KeyRefusedError, match="no known key"):
            open_note(SIGNED, verifiers)


def test_a_failing_signature_of_a_known_key_refuses_the_whole_note() -> None:
    """A good signature beside a bad one does not save the note."""
    good = cosign(BODY, WITNESS.name, WITNESS_KEY, 7)
    forged = SIGNED.replace("\n12\n", "\n13\n") + cosign(BODY.replace("\n12\n", "\n13\n"), WITNESS.name, WITNESS_KEY, 7)
    assert open_note(SIGNED + good, [WITNESS, LOG])[1] == [ORIGIN, WITNESS.name]
    assert open_note(forged, [WITNESS])[1] == [WITNESS.name]
    with pytest.raises(KeyRefusedError, match="does not verify"):
        open_note(forged, [WITNESS, LOG])


LINE = SIGNED.rpartition("\n\n")[2]


@pytest.mark.parametrize(
    "text",
    [
        "",
        BODY,
        f"{BODY}\n",
        SIGNED[:-1],
        SIGNED + "\n",
        f"{BODY}{LINE}",
        SIGNED.replace("— ", "- "),
        SIGNED.replace("— ", "—  "),
        f"{BODY}\n— {ORIGIN}\n",
        f"{BODY}\n— a+b AAAAAAA=\n",
        f"{BODY}\n— a\u00a0b AAAAAAA=\n",
        f"{BODY}\n— {'n' * 256} AAAAAAA=\n",
        f"{BODY}\n— {ORIGIN} AAAAAA==\n",
        f"{BODY}\n— {ORIGIN} AAAAAAB=\n",
        f"{SIGNED}— {ORIGIN} !\n",
        SIGNED.replace("\n", "\r\n"),
        "\0" + SIGNED,
        SIGNED + LINE * 64,
        "x" * 70_000 + SIGNED,
        "é" * 40_000 + SIGNED,
        "\ud800" + SIGNED,
        b"\xff" + SIGNED.encode(),
    ],
)
def test_a_malformed_note_is_refused(text: str | bytes) -> None:
    """Form and bounds are checked before any signature is."""
    with pytest.raises(LedgerError):
        open_note(text, [LOG])


def test_sixteen_signatures_are_accepted() -> None:
    """A note may carry as many signatures as the specification asks a reader to take."""
    assert open_note(SIGNED + LINE * 15, [LOG]) == (BODY, [ORIGIN])


def test_only_the_last_empty_line_divides_text_and_signatures() -> None:
    """A text may hold empty lines, as the specification's own example does."""
    text = "first\n\nsecond\n"
    encoded = b64encode(LOG.key_hash + KEY.sign(text.encode())).decode()
    assert open_note(f"{text}\n— {ORIGIN} {encoded}\n", [LOG]) == (text, [ORIGIN])


@pytest.mark.parametrize("verifier", [LOG, WITNESS])
def test_a_verifier_key_survives_its_text(verifier: Verifier) -> None:
    """Name, type and key are read back, and the hash agrees."""
    assert Verifier.from_vkey(verifier.to_vkey()) == verifier


VKEY = LOG.to_vkey()
WEAK = b64encode(b"\x01" + bytes(32)).decode()
ECDSA = b64encode(b"\x02" + KEY.public.raw).decode()


@pytest.mark.parametrize(
    "vkey",
    [
        "",
        VKEY + "\n",
        VKEY + "=" * 600,
        VKEY.replace("ledger", "Ledger"),
        VKEY.replace(ORIGIN, "a b"),
        VKEY.replace(ORIGIN, "a\nb"),
        VKEY[:-2],
        f"{ORIGIN}+00000000+{WEAK}",
        f"{ORIGIN}+00000000+AA==",
        f"{ORIGIN}+{LOG.key_hash.hex().upper()}+{VKEY.rpartition('+')[2]}x",
        f"{ORIGIN}+00000000+{ECDSA}",
        f"{ORIGIN}++",
    ],
)
def test_a_malformed_verifier_key_is_refused(vkey: str) -> None:
    """Another form, a weak key, or a hash that is not the key's is refused."""
    with pytest.raises(KeyRefusedError):
        Verifier.from_vkey(vkey)


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\u2003b", "a\x00", "\ud800", "n" * 256])
def test_a_name_that_no_note_can_carry_is_refused(name: str) -> None:
    """Nobody signs under a name that a reader would refuse."""
    with pytest.raises(KeyRefusedError, match="name"):
        sign(CHECKPOINT, name, KEY)


def test_an_unsupported_signature_type_is_refused() -> None:
    """ECDSA and the rest are not taken for Ed25519."""
    with pytest.raises(KeyRefusedError, match="0x02"):
        Verifier(ORIGIN, KEY.public, 2)


def test_two_known_keys_that_cannot_be_told_apart_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where name and hash of two known keys collide, it is not left to chance which one verifies."""
    monkeypatch.setattr(Verifier, "key_hash", property(lambda _: b"same"))
    with pytest.raises(KeyRefusedError, match="share one hash"):
        open_note(SIGNED, [LOG, Verifier(ORIGIN, WITNESS_KEY.public)])


def test_naming_a_verifier_twice_changes_nothing() -> None:
    """The same key listed twice is one key."""
    assert open_note(SIGNED, [LOG, LOG]) == (BODY, [ORIGIN])

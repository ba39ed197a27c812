"""Keys: which are refused, what is verified, and that nothing shows a secret."""

import json
from base64 import b64encode
from collections import Counter
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from schemas.errors import KeyRefusedError, SchemaError
from schemas.keys import PrivateKey, PublicKey, decode_base64, preimage

SEED = bytes(range(32))
KEY = PrivateKey.generate(SEED)
PASSPHRASE = b"four words of a phrase"
P = 2**255 - 19


def _verifies(key: str, signature: str, message: bytes) -> bool:
    try:
        PublicKey(bytes.fromhex(key)).verify(bytes.fromhex(signature), message)
    except KeyRefusedError:
        return False
    return True


def test_wycheproof_signatures_are_judged_as_published(data: Path) -> None:
    """All 151 Ed25519 cases of Wycheproof agree, 88 of them valid."""
    seen: Counter[bool] = Counter()
    published = json.loads((data / "vectors" / "wycheproof" / "ed25519_test.json").read_text())
    for group in published["testGroups"]:
        for case in group["tests"]:
            valid = _verifies(group["publicKey"]["pk"], case["sig"], bytes.fromhex(case["msg"]))
            assert valid is (case["result"] == "valid"), case["tcId"]
            seen[valid] += 1
    assert seen == {True: 88, False: 63}


def test_edge_cases_of_cctv_are_refused_where_anybody_could_sign(data: Path) -> None:
    """Of 914 edge cases the 86 with a sound key and a strict signature verify; no key of low order is left."""
    refused = {"non_canonical_R", "low_order_residue", "low_order_A", "non_canonical_A"}
    seen: Counter[bool] = Counter()
    for case in json.loads((data / "vectors" / "cctv" / "ed25519vectors.json").read_text()):
        valid = _verifies(case["key"], case["sig"], case["msg"].encode())
        assert valid is refused.isdisjoint(case["flags"] or []), case["number"]
        seen[valid] += 1
    assert seen == {True: 86, False: 828}


@pytest.mark.parametrize("y", [0, 1, P - 1, P, P + 1, 2**255 - 1])
@pytest.mark.parametrize("sign", [0, 1])
def test_keys_of_low_order_or_in_a_second_encoding_are_refused(y: int, sign: int) -> None:
    """Neither sign bit makes a weak or non-canonical point acceptable."""
    with pytest.raises(KeyRefusedError, match=r"low order|canonical"):
        PublicKey((y + (sign << 255)).to_bytes(32, "little"))


@pytest.mark.parametrize("sign", ["05", "85"])
def test_points_of_order_eight_are_refused(sign: str) -> None:
    """The two large y of low order are known."""
    y = bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc" + sign)
    negative = P - int.from_bytes(y[:31] + b"\x05", "little")
    for raw in (y, negative.to_bytes(32, "little")):
        with pytest.raises(KeyRefusedError, match="low order"):
            PublicKey(raw)


def test_bytes_that_are_no_point_are_refused() -> None:
    """No point of the curve has y = 2."""
    with pytest.raises(KeyRefusedError, match="not a point"):
        PublicKey((2).to_bytes(32, "little"))


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_key_has_thirty_two_bytes(length: int) -> None:
    """Public keys and seeds of another length are refused."""
    with pytest.raises(KeyRefusedError, match="32"):
        PublicKey(bytes(length))
    with pytest.raises(KeyRefusedError, match="32"):
        PrivateKey.generate(bytes(length))


def test_a_signature_verifies_under_its_own_key_and_message_only() -> None:
    """The right pair passes; another message, key or signature does not."""
    signature = KEY.sign(b"statement")
    KEY.public.verify(signature, b"statement")
    other = PrivateKey.generate(SEED[::-1]).public
    for key, value, message in (
        (KEY.public, signature, b"Statement"),
        (other, signature, b"statement"),
        (KEY.public, signature[:63], b"statement"),
        (KEY.public, b"", b"statement"),
    ):
        with pytest.raises(KeyRefusedError, match=key.key_id):
            key.verify(value, message)


def test_the_first_vector_of_rfc_8032_is_reproduced() -> None:
    """Key and signature of the RFC's test 1 come out, and the key id is a digest of the raw key."""
    key = PrivateKey.generate(bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"))
    assert key.public.raw.hex() == "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
    assert key.sign(b"").hex() == (
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b"
        "d25bf5f0595bbe24655141438e7a100b"
    )
    assert key.key_id == key.public.key_id == "21fe31dfa154a261"


def test_a_public_key_survives_its_line() -> None:
    """A line is read back to the same key and comment, with or without a comment or newline."""
    line = KEY.public.to_line("Ada, pager 3")
    assert line.startswith("headgate-ed25519 ")
    assert PublicKey.from_line(line) == (KEY.public, "Ada, pager 3")
    assert PublicKey.from_line(KEY.public.to_line().rstrip("\n")) == (KEY.public, "")


ENCODED = b64encode(KEY.public.raw).decode()


@pytest.mark.parametrize(
    "line",
    [
        "",
        "headgate-ed25519",
        f"ssh-ed25519 {ENCODED} x",
        f" headgate-ed25519 {ENCODED}",
        f"headgate-ed25519  {ENCODED}",
        f"headgate-ed25519 {ENCODED} ",
        f"headgate-ed25519 {ENCODED} a\nb",
        f"headgate-ed25519 {ENCODED} a\n\n",
        f"headgate-ed25519 {ENCODED} \x1b[2J",
        f"headgate-ed25519 {ENCODED} \ud800",
        f"headgate-ed25519 {ENCODED} " + "x" * 257,
        f"headgate-ed25519 {ENCODED[:-1]}",
        f"headgate-ed25519 {ENCODED[:-2]}B=",
        "headgate-ed25519 " + b64encode(bytes(32)).decode(),
    ],
)
def test_a_malformed_public_key_line_is_refused(line: str) -> None:
    """Anything but the one form is refused, a weak key too."""
    with pytest.raises(KeyRefusedError):
        PublicKey.from_line(line)


@pytest.mark.parametrize("comment", ["a\nb", "x" * 257, "\x7f"])
def test_a_comment_that_could_not_be_read_is_not_written(comment: str) -> None:
    """What to_line writes, from_line reads."""
    with pytest.raises(KeyRefusedError, match="comment"):
        KEY.public.to_line(comment)


@pytest.mark.parametrize("passphrase", [None, PASSPHRASE])
def test_a_private_key_survives_its_file(passphrase: bytes | None) -> None:
    """PEM with and without a passphrase is read back to a key that signs the same."""
    pem = KEY.to_pem(passphrase)
    assert (b"ENCRYPTED" in pem) is (passphrase is not None)
    read = PrivateKey.from_pem(pem, passphrase)
    assert (read, read.sign(b"x")) == (KEY, KEY.sign(b"x"))


FOREIGN = X25519PrivateKey.from_private_bytes(SEED).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@pytest.mark.parametrize(
    ("pem", "passphrase", "reason"),
    [
        (KEY.to_pem(), PASSPHRASE, "is not encrypted"),
        (KEY.to_pem(PASSPHRASE), None, "needs a passphrase"),
        (KEY.to_pem(PASSPHRASE), b"", "needs a passphrase"),
        (KEY.to_pem(PASSPHRASE), b"another phrase", "damaged"),
        (FOREIGN, None, "another kind"),
        (KEY.to_pem() * 2, None, "one PKCS#8"),
        (b"x" + KEY.to_pem(), None, "one PKCS#8"),
        (KEY.to_pem() + b"\n" * 4096, None, "at most 4096"),
        (KEY.to_pem().replace(b"MC4C", b"MC4D"), None, "damaged"),
        (b"", None, "one PKCS#8"),
    ],
)
def test_a_private_key_file_that_cannot_be_used_is_refused(pem: bytes, passphrase: bytes | None, reason: str) -> None:
    """The reason is told; the file's content is neither in the message nor in a chained cause."""
    with pytest.raises(KeyRefusedError, match=reason) as refused:
        PrivateKey.from_pem(pem, passphrase)
    assert refused.value.__suppress_context__ or refused.value.__context__ is None
    for line in filter(None, pem.splitlines()[1:-1]):
        assert line.decode() not in str(refused.value)


def test_a_short_passphrase_is_refused() -> None:
    """PKCS#8's fast key derivation is not left to protect a word or two."""
    with pytest.raises(KeyRefusedError, match="passphrase"):
        KEY.to_pem(b"secret")


def test_a_private_key_does_not_show_itself() -> None:
    """Neither repr nor str of a private key holds its seed in any usual form."""
    shown = repr(KEY) + str(KEY)
    for secret in (SEED.hex(), b64encode(SEED).decode(), repr(SEED)[2:-1]):
        assert secret not in shown


def test_keys_are_values_that_cannot_be_changed() -> None:
    """Two readings of one key are equal, hash alike, and refuse assignment."""
    again = PublicKey(KEY.public.raw)
    assert {KEY.public, again} == {again}
    with pytest.raises(AttributeError):
        again.raw = b""  # type: ignore[misc]


@pytest.mark.parametrize("text", ["AA", "AB==", "AA==\n", "A A=", "äA==", "-_=="])
def test_base64_has_one_form(text: str) -> None:
    """Missing padding, loose bits, spaces and other alphabets are refused."""
    with pytest.raises(KeyRefusedError, match="base64"):
        decode_base64(text)


def test_the_signed_bytes_of_a_statement_are_as_documented() -> None:
    """The label, then each field behind its length in eight bytes."""
    assert preimage("o", "tö", "", "i", b"\x00\x01") == (
        b"headgate-statement-v1"
        b"\0\0\0\0\0\0\0\1o\0\0\0\0\0\0\0\3t\xc3\xb6\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1i\0\0\0\0\0\0\0\2\0\1"
    )


def test_a_statement_with_broken_text_is_refused() -> None:
    """A lone surrogate, as JSON can carry it, is an error of ours and not a crash."""
    with pytest.raises(SchemaError, match="Unicode"):
        preimage("\ud800", "t", "k", "i", b"")

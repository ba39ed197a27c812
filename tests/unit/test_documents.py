"""Documents are read within limits and named by their digest."""

import hashlib

import pytest
from pydantic import Field

from schemas import documents
from schemas.documents import MAX_DOCUMENT_BYTES, Frozen
from schemas.errors import PolicyError


class Note(Frozen):
    """A document of this test."""

    version: int
    share: float = 0.5
    words: tuple[str, ...] = Field(())


def test_a_valid_document_is_read_and_named_by_its_digest() -> None:
    """The digest is SHA-256 of the very bytes."""
    document = b"version = 1\nwords = ['a']"
    assert documents.read(Note, document, "the note") == Note(version=1, words=("a",))
    assert documents.digest(document) == hashlib.sha256(document).hexdigest()


@pytest.mark.parametrize(
    ("document", "says"),
    [
        (b"#" * (MAX_DOCUMENT_BYTES + 1), "at most"),
        (b"\xff", "not UTF-8: byte 0"),
        (b"version =", "not TOML"),
        (b"version = " + b"[" * 20_000, "not TOML"),
        (b"", "version: Field required"),
        (b"version = 1\nunknown = 2", "unknown: Extra"),
        (b"version = 'x'\nshare = 'y'", "(and 1 more)"),
        (b"version = 1\nshare = nan", "share"),
        (b"version = 1\nshare = inf", "share"),
        (b"version = 1\nwords = ['" + b"x" * 2001 + b"']", "words.0"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_bad_document_is_refused_in_one_sentence(document: bytes, says: str) -> None:
    """Each way to be wrong is a PolicyError that names the place."""
    with pytest.raises(PolicyError) as caught:
        documents.read(Note, document, "the note")
    assert str(caught.value).startswith("the note")
    assert says in str(caught.value)


def test_an_error_of_the_whole_document_names_it() -> None:
    """Where no field is to blame the document is."""

    class Never(Frozen):
        """Refuses everything."""

        def model_post_init(self, _context: object) -> None:
            """Refuse."""
            raise ValueError("never")

    with pytest.raises(PolicyError, match="the document"):
        documents.read(Never, b"", "the note")

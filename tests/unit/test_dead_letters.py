"""Dead letters: every byte of the record, its place and the reason; a flood costs one."""

from dataclasses import replace

from agents.received import Received
from schemas.codec import open_frame
from schemas.deadletter import DeadLetter
from schemas.errors import SchemaError
from streams.worker.dead_letters import MAX_BYTES, DeadLetters, printable

RECORD = Received(
    topic="in",
    topic_id="id-1",
    partition=3,
    offset=10,
    timestamp=0,
    key=b"\xff",
    value=b"\x00bad",
    headers=(("trace", b"\xfe1"), ("trace", b"2")),
)


def opened(letters: DeadLetters) -> list[DeadLetter]:
    """Return what would be sent."""
    return [open_frame(record.value, (DeadLetter,), 1 << 22) for record in letters.drain()]


def test_a_dead_letter_holds_the_record_its_place_and_the_reason() -> None:
    """What was refused can be looked at, and sent again."""
    letters = DeadLetters("detect", "dead")
    letters.add(RECORD, SchemaError("it begins with 0x01"))
    [record] = letters.drain()
    assert (record.topic, record.key) == ("dead", b"\xff")
    letter = open_frame(record.value, (DeadLetter,), 1 << 22)
    assert (letter.consumer, letter.topic, letter.topic_id, letter.partition) == ("detect", "in", "id-1", 3)
    assert (letter.offset, letter.last_offset, letter.attempt) == (10, 10, 1)
    assert (letter.error, letter.reason) == ("SchemaError", "it begins with 0x01")
    assert (letter.key, letter.value) == (b"\xff", b"\x00bad")
    assert letter.headers == ("trace=\\xfe1", "trace=2")
    assert not len(letters)


def test_a_run_of_like_failures_is_one_dead_letter_with_its_range() -> None:
    """Neighbours that fail alike are counted; a gap, another error or another partition begins anew."""
    letters = DeadLetters("detect", "dead")
    for offset in range(10, 5000):
        letters.add(replace(RECORD, offset=offset), SchemaError(str(offset)))
    letters.add(replace(RECORD, offset=5001), SchemaError("after a gap"))
    letters.add(replace(RECORD, offset=5002), ValueError("another error"))
    letters.add(replace(RECORD, offset=5003, partition=4), ValueError("another partition"))
    assert [(found.offset, found.last_offset) for found in opened(letters)] == [
        (10, 4999),
        (5001, 5001),
        (5002, 5002),
        (5003, 5003),
    ]


def test_what_is_too_large_is_cut_and_says_so() -> None:
    """A dead letter always fits its topic; its offset still leads to the whole record."""
    letters = DeadLetters("detect", "dead")
    letters.add(replace(RECORD, value=b"x" * (MAX_BYTES + 1)), SchemaError("large"))
    [letter] = opened(letters)
    assert len(letter.value or b"") == MAX_BYTES
    assert letter.reason == f"large (the first {MAX_BYTES} of {MAX_BYTES + 1} bytes)"


def test_an_error_cannot_move_the_cursor_or_break_the_encoding() -> None:
    """Reasons quote hostile bytes, and are shown on terminals."""
    assert printable("a\x1b[2Jb\udc80\n") == "a\\x1b[2Jb\\udc80\\n"
    assert len(printable("\0" * 5000)) == 1000

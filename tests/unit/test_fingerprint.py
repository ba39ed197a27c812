"""Fingerprints of answers: exact where answers are, coarse where they are not."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents import fingerprint

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=90),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=20), inner, max_size=4),
    max_leaves=12,
)


@given(JSON)
def test_any_answer_has_a_short_fingerprint(answer: Any) -> None:
    """Whatever JSON a model answers, digest and form are bounded, and the same again."""
    assert fingerprint.exact(answer) == fingerprint.exact(answer)
    assert len(fingerprint.exact(answer)) == 16
    assert len(fingerprint.coarse(answer)) <= fingerprint.SHORT
    assert fingerprint.coarse(answer) == fingerprint.coarse(answer)


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        (0.51234, 0.51199, True),
        (0.5, 0.6, False),
        (" Yes", "yes", True),
        ("yes", "no", False),
        ("word " * 40, "term " * 41, True),
        ("word " * 40, "I'm sorry, but " + "word " * 40, False),
        ({"a": [0.111, 1]}, {"a": [0.112, 1]}, True),
        ([1, 2], [1, 2, 3], False),
        (True, None, False),
        (1e308, 2e307, True),
    ],
)
def test_the_form_leaves_rounding_and_wording_aside(one: Any, other: Any, alike: bool) -> None:
    """Numbers count to two digits, labels without case, long texts by length and refusal."""
    assert (fingerprint.coarse(one) == fingerprint.coarse(other)) is alike
    assert fingerprint.exact(one) != fingerprint.exact(other)


def test_the_answer_is_found_in_a_response() -> None:
    """A dotted path goes through objects and lists; what is not there is a LookupError."""
    response = {"choices": [{"text": "hi"}]}
    assert fingerprint.at(response, "choices.0.text") == "hi"
    assert fingerprint.at(response, "") == response
    for path in ("choices.1.text", "choices.x", "choices.0.text.more", "none"):
        with pytest.raises(LookupError):
            fingerprint.at(response, path)

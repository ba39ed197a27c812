"""The plain values between the executor and a target."""

import pytest

from schemas.errors import EffectError
from streams.targets.adapter import Observation, canonical, check_name, parse_state, read_back


def test_equal_states_are_equal_texts() -> None:
    """The order in which a state was written does not matter."""
    assert canonical({"2": 0, "1": 100}) == canonical({"1": 100, "2": 0}) == '{"1":100,"2":0}'


def test_the_digest_binds_target_and_state() -> None:
    """Another target or another state has another digest; the same observation has the same."""
    one = Observation("envoy:a", '{"1":100}')
    assert one.digest == Observation("envoy:a", '{"1":100}').digest
    assert len({one.digest, Observation("envoy:b", '{"1":100}').digest, Observation("envoy:a", "{}").digest}) == 3


@pytest.mark.parametrize("text", ["", "[]", "1", '"x"', "{", "[" * 4000, "x" * 5000, "\0"])
def test_hostile_states_are_errors(text: str) -> None:
    """What is not a small JSON object is an EffectError that no retry mends."""
    with pytest.raises(EffectError) as caught:
        parse_state(text)
    assert not caught.value.retryable


@pytest.mark.parametrize("name", ["", "a/b", "../a", "a b", "..", "ä", "a" * 129, "-a", "a\n", "a?b=c"])
def test_names_that_could_escape_a_key_or_path_are_refused(name: str) -> None:
    """Only letters, digits, `.`, `_` and `-` make a name, and it starts with one of the first two."""
    with pytest.raises(EffectError, match="cannot be the name"):
        check_name(name, "model")


def test_reading_back_waits_for_the_state() -> None:
    """A target that shows the state at the third look is verified; one that never does is not."""
    states = iter(["{}", "{}", '{"1":100}'])
    assert read_back(lambda: Observation("t:x", next(states)), '{"1":100}', 5.0).state == '{"1":100}'
    with pytest.raises(EffectError, match="after 0 s"):
        read_back(lambda: Observation("t:x", "{}"), '{"1":100}', 0.0)

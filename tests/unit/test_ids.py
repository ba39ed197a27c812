"""Ids derive from causes, and names from outside are safe."""

import pytest

from schemas.ids import ID_HEX, derive, sound


def test_the_same_cause_gives_the_same_id() -> None:
    """An id is 32 hex digits of nothing but its parts."""
    assert derive("intent", "plan", 1) == derive("intent", "plan", 1)
    assert len(derive("x")) == ID_HEX
    assert derive("x", 1) == derive("x", "1")


def test_no_two_causes_run_together() -> None:
    """Moving a character from one part to the next, or splitting a part, gives another id."""
    assert len({derive("ab", "c"), derive("a", "bc"), derive("abc"), derive("abc", ""), derive("", "abc")}) == 5


def test_a_lone_surrogate_is_no_reason_to_fail() -> None:
    """Any Python text has an id."""
    assert derive("\ud800") != derive("\ud801")


@pytest.mark.parametrize("name", ["a", "p-0123", "inc:1@x._-", "x" * 128])
def test_a_sound_name_may_stand(name: str) -> None:
    """Letters, digits and a few signs are allowed."""
    assert sound(name)


@pytest.mark.parametrize("name", ["", "x" * 129, "../up", ".hidden", "-rf", "rule x", "a\n", "ä", "a/b", "\x00"])
def test_an_unsound_name_may_not_stand(name: str) -> None:
    """What could be a path, an option, a sentence or invisible is not allowed."""
    assert not sound(name)

"""Thresholds: complete defaults, bounds, and no name that is not known."""

import pytest
from pydantic import ValidationError

from schemas.documents import Frozen
from schemas.ids import derive
from schemas.thresholds import Thresholds


@pytest.mark.parametrize(
    "wrong",
    [
        {"psi": 0},
        {"bins": 1},
        {"windows": 5},
        {"floor_rows": 600},
        {"rows_between_false_alarms": 0},
        {"quality": {"rise": 1.5}},
        {"labels": {"sample": 0}},
        {"psi": float("nan")},
    ],
)
def test_values_out_of_bounds_and_unknown_names_are_refused(wrong: dict[str, object]) -> None:
    """Each field has bounds, and a typing error is not ignored."""
    with pytest.raises(ValidationError):
        Thresholds.model_validate(wrong)


def test_every_threshold_says_what_it_means() -> None:
    """Each field that is a number has a description."""
    parts = [Thresholds, *(type(part) for part in vars(Thresholds()).values() if isinstance(part, Frozen))]
    missing = [
        f"{part.__name__}.{name}"
        for part in parts
        for name, field in part.model_fields.items()
        if field.annotation in (int, float) and not field.description
    ]
    assert missing == []


def test_parts_of_an_id_do_not_run_together() -> None:
    """The same parts give the same 32 digits; moving a border between parts gives others."""
    assert derive("a", "bc", 1) == derive("a", "bc", 1)
    assert len({derive("a", "bc"), derive("ab", "c"), derive("abc")}) == 3
    assert len(derive("a")) == 32

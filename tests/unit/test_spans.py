"""Lengths of time as people write them."""

from datetime import timedelta

import click
import pytest

from schemas.spans import span, written
from streams.cli.clocks_due import SPAN


def test_a_length_of_time_is_read_and_written() -> None:
    """Units add up; the two largest are written."""
    assert span("1h30m") == timedelta(minutes=90)
    assert span("1.5s") == timedelta(milliseconds=1500)
    assert written(span("1d2h3m")) == "1d2h"


def test_the_command_line_reads_it_as_documents_do() -> None:
    """What a scenario may say, --within may say too."""
    assert SPAN.convert("1h30m", None, None) == 5_400_000
    with pytest.raises(click.BadParameter, match="is no length of time"):
        SPAN.convert("1y", None, None)


@pytest.mark.parametrize("text", ["", "90", "1y", "-1s", "1h 30m", "999999d" * 2000, 90, None])
def test_what_is_no_length_of_time_is_refused(text: object) -> None:
    """A bare number, another unit, or more than time has room for: always the same error, in a sentence."""
    with pytest.raises(ValueError, match="is no length of time"):
        span(text)

"""Whoever wants to close an incident is told what is left, each with a command that exists."""

import click
import pytest

from agents.ledger.closing import standing, unfinished
from streams.__main__ import headgate
from streams.view import left_to_do as left
from tests import play


@pytest.mark.parametrize("told", [*left._SETTLES.values(), *left._SAYS.values()])
def test_every_command_that_is_told_exists(told: str) -> None:
    """The words of the command lead to one, as a person would type them."""
    words = told.format(incident="3f8a2c").split("   ")[0].split()[1:]
    command: click.Command | None = headgate
    while isinstance(command, click.Group) and words:
        command = command.get_command(click.Context(command), words.pop(0))
        assert command is not None, told


def test_each_thing_that_stands_open_has_its_command() -> None:
    """What closing would be refused for is listed in the same order, none of it without a way out."""
    ledger = play.resolved()
    told = list(left.left_to_do(ledger.case, ledger.control, "inc"))
    assert [sentence for sentence, _ in told] == list(unfinished(ledger.control, ledger.case))
    assert len(told) == len(standing(ledger.control, ledger.case)) >= 3
    assert all(command.startswith("headgate ") for _, command in told)

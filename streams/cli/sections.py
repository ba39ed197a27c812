"""A group of many commands whose help names them in the order in which people need them."""

from collections.abc import Mapping, Sequence
from typing import Any

import click


class Sections(click.Group):
    """A group with its commands under headings; what no heading names comes last, under Others."""

    def __init__(self, *given: Any, sections: Mapping[str, Sequence[str]], **named: Any) -> None:
        super().__init__(*given, **named)
        self.sections = sections

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write each section that has commands."""
        placed = {name for names in self.sections.values() for name in names}
        others = sorted(set(self.commands) - placed)
        for heading, names in (*self.sections.items(), ("Others", others)):
            rows = [(name, self.commands[name].get_short_help_str(200)) for name in names if name in self.commands]
            if rows:
                with formatter.section(heading):
                    formatter.write_dl(rows)
        del ctx

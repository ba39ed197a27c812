"""Python functions made from generated source, as `dataclasses` makes `__init__`."""

from typing import Any


class Source:
    """Lines of a function `run` under construction, and the objects that it refers to."""

    def __init__(self, names: dict[str, Any]) -> None:
        self.lines: list[str] = []
        self.names = dict(names)
        self.counter = 0

    def add(self, depth: int, *lines: str) -> None:
        """Append lines, indented by `depth` levels."""
        self.lines += ["    " * depth + line for line in lines]

    def fresh(self, obj: Any = None) -> str:
        """Return a new name, which stands for the object where one is given."""
        self.counter += 1
        name = f"x{self.counter}"
        if obj is not None:
            self.names[name] = obj
        return name

    def build(self) -> Any:
        """Return the function."""
        exec("\n".join(self.lines), self.names)  # noqa: S102  # made of identifiers that Python accepted
        return self.names["run"]

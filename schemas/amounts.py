"""Amounts that policy names: rows, shares and factors, each within its bounds."""

from typing import Annotated

from pydantic import Field

Rows = Annotated[int, Field(ge=1, le=10_000_000_000)]
Share = Annotated[float, Field(gt=0, lt=1)]
Factor = Annotated[float, Field(gt=1, le=1_000_000)]

"""Functions over arrays as machine code: numpy's cost a call is more than the work of a window of rows."""

from collections.abc import Callable
from typing import TypeVar, cast

from numba import njit

Function = TypeVar("Function", bound=Callable[..., object])


def compiled(function: Function) -> Function:
    """Return the function compiled when it is first called, and kept on disk for the next process.

    Sums and products are IEEE 754's, in the order written: no contraction and no reassociation, so that the same rows
    give the same bits as in numpy. Where neither the package's folder nor the user's cache may be written, each process
    compiles for itself.
    """
    try:
        return cast("Function", njit(cache=True, error_model="numpy")(function))
    except RuntimeError:  # numba found no folder to keep it in
        return cast("Function", njit(error_model="numpy")(function))

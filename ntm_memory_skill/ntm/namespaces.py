"""Whose functions an array takes: one set of equations runs on torch tensors and on numpy arrays.

numpy speaks the array API standard itself, and is asked directly: the wrappers that make other libraries alike would
cost a search more than some of its equations.
"""

from __future__ import annotations

from typing import Any

import numpy as np


def array_namespace(*arrays: Any) -> Any:
    """Return the namespace of some arrays of one kind. Raises TypeError where there are several, or is none."""
    if all(isinstance(each, np.ndarray) for each in arrays):
        return np
    import array_api_compat

    return array_api_compat.array_namespace(*arrays)

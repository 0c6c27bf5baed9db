"""The arrays that the equations must run on."""

from __future__ import annotations

from typing import Any

import pytest


def single_threaded_torch() -> Any:
    """Return torch, imported when first needed; a second thread makes small tensors many times slower."""
    import torch

    torch.set_num_threads(1)
    return torch


@pytest.fixture(scope="session", params=["numpy", "torch"])
def xp(request: pytest.FixtureRequest) -> Any:
    """The array namespace: every test that asks for it runs on numpy and on torch."""
    if request.param == "torch":
        return single_threaded_torch()
    import numpy as np

    return np


@pytest.fixture(scope="session")
def torch() -> Any:
    """Torch alone, for what only tensors have: gradients."""
    return single_threaded_torch()

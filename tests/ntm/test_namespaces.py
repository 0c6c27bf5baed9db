"""Whose functions an array takes."""

from __future__ import annotations

import array_api_compat.torch
import numpy as np
import pytest
import torch

from ntm_memory_skill.ntm.namespaces import array_namespace


def test_numpy_speaks_for_itself() -> None:
    """However many arrays there are."""
    assert array_namespace(np.ones(2)) is np
    assert array_namespace(np.ones(2), np.zeros((0, 3), np.float32)) is np


def test_torch_is_made_alike() -> None:
    """Its own namespace lacks names of the standard."""
    assert array_namespace(torch.ones(2), torch.zeros(0)) is array_api_compat.torch


@pytest.mark.parametrize("arrays", [(np.ones(2), torch.ones(2)), (torch.ones(2), np.ones(2)), ([1.0, 2.0],)])
def test_arrays_of_one_call_are_of_one_kind(arrays: tuple[object, ...]) -> None:
    """A numpy array beside a tensor is a mistake, and so is a list."""
    with pytest.raises(TypeError):
        array_namespace(*arrays)

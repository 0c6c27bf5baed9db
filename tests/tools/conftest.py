"""Assertions in the helpers are explained like those in test files."""

from __future__ import annotations

import pytest

pytest.register_assert_rewrite("tests.tools.calls")

"""A host that does as it is told, in a folder of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.hosts.setup.fake import FakeHost

MakeHost = Callable[..., FakeHost]
OTHERS = """{
  // somebody's remark
  "gateway": {"mode": "local"},
  "plugins": {
    "allow": ["openai"], "load": {"paths": ["/opt/other"]},
    "slots": {"memory": "memory-lancedb"}, "entries": {"openai": {"enabled": true}}
  }
}
"""
"""A configuration that other plugins are in."""


@pytest.fixture
def make_host(here: Path, tmp_path: Path) -> MakeHost:
    """A function that makes a host with a configuration and a behaviour."""
    return lambda config=None, **behaviour: FakeHost.make(tmp_path / "host", config, **behaviour)


@pytest.fixture
def host(make_host: MakeHost) -> FakeHost:
    """A host that other plugins are configured in."""
    return make_host(OTHERS)

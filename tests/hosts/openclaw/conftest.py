"""The real host, in a place of its own for each class of tests; where there is no host they are skipped."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hosts.openclaw.gateway import Gateway
from tests.hosts.openclaw.host import Host
from tests.hosts.openclaw.installation import Installation, find_host
from tests.hosts.openclaw.model import ScriptedModel
from tests.hosts.openclaw.registry import Registry


@pytest.fixture(scope="session")
def installation() -> Installation:
    """The host's programs."""
    if not Path("/proc/self/environ").exists():
        pytest.skip("the host's processes are found in /proc, which this system does not have")
    return find_host(os.environ)


@pytest.fixture(scope="class")
def scripted() -> Iterator[ScriptedModel]:
    """A model that obeys lines like `recall: X`."""
    with ScriptedModel() as model:
        yield model


@pytest.fixture(scope="class")
def registry() -> Iterator[Registry]:
    """A registry that holds no skill."""
    with Registry() as empty:
        yield empty


@pytest.fixture(scope="class")
def host(
    installation: Installation, scripted: ScriptedModel, registry: Registry, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Host]:
    """A place for the host, with that model and that registry; in the end nothing may still run in it."""
    folder = tmp_path_factory.mktemp("host")
    host = Host(installation, folder, model_address=scripted.address, registry_address=registry.address)
    yield host
    assert host.left() == []


@pytest.fixture(scope="class")
def gateway(host: Host) -> Iterator[Gateway]:
    """A running gateway, without a plugin unless the class configures one in a `host` of its own."""
    with Gateway(host) as running:
        yield running

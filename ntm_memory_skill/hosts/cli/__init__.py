"""The command line: `ntm-memory VERB`."""

from ntm_memory_skill.hosts.cli.app import app, run

__all__ = ["app", "run"]

"""A ClawHub registry on 127.0.0.1: as much of one as logging in, publishing a skill and installing it take.

A publication is whole before it can be found: the files are uploaded first, each under the hash of its content, and the
last request names them together.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.hosts.openclaw.loopback import Loopback, Reply, Request, in_json

OWNER = "tester"
"""Whose token every token is."""


@dataclass(frozen=True, slots=True)
class Publication:
    """One published version of a skill."""

    slug: str
    version: str
    files: Mapping[str, bytes]
    """Content by path inside the skill's folder, with slashes."""
    fingerprint: str | None
    """What the client computed over the files, so that an unchanged folder is recognised."""


class Registry(Loopback):
    """The registry; it remembers what was published as long as it lives."""

    def __init__(self) -> None:
        super().__init__()
        self.published: list[Publication] = []
        """Every publication, in order."""
        self._blobs: dict[str, bytes] = {}
        self._fingerprints: dict[str, str | None] = {}

    def latest(self, slug: str) -> Publication | None:
        """Return a skill's last publication, None if there is none."""
        return next((each for each in reversed(self.published) if each.slug == slug), None)

    def answer(self, request: Request) -> Reply:
        """Answer what the command line asks; everything else is not found, and stays in `requests`."""
        parts = request.path.strip("/").split("/")
        return self._read(parts, request.query) if request.method == "GET" else self._write(parts, request)

    def _read(self, parts: list[str], query: Mapping[str, str]) -> Reply:
        match parts:
            case [".well-known", "clawhub.json"]:
                return in_json({"apiBase": self.address, "authBase": self.address})
            case ["api", "v1", "whoami"]:
                return in_json({"user": {"handle": OWNER, "displayName": OWNER, "image": None, "role": "user"}})
            case ["api", "v1", "resolve"]:
                return self._resolve(query["slug"], query.get("hash"))
            case ["api", "v1", "download"]:
                return self._download(query["slug"])
            case ["api", "v1", "skills", slug, *rest]:
                return self._describe(slug, rest)
        return _not_found()

    def _write(self, parts: list[str], request: Request) -> Reply:
        match parts:
            case ["api", "v1", "skills", "-", "upload-url"]:
                return in_json({"uploadUrl": f"{self.address}/blob", "uploadTicket": "ticket"})
            case ["blob"]:
                return self._store(request.body)
            case ["api", "v1", "skills"]:
                return self._publish(request.json)
        return _not_found()

    def _store(self, content: bytes) -> Reply:
        name = hashlib.sha256(content).hexdigest()
        self._blobs[name] = content
        return in_json({"storageId": name})

    def _publish(self, asked: Mapping[str, Any]) -> Reply:
        slug = asked["slug"]
        files = {file["path"]: self._blobs[file["storageId"]] for file in asked["files"]}
        self.published.append(Publication(slug, asked["version"], files, self._fingerprints.get(slug)))
        return in_json({"ok": True, "skillId": slug, "versionId": asked["version"], "publicationStatus": "published"})

    def _resolve(self, slug: str, fingerprint: str | None) -> Reply:
        self._fingerprints[slug] = fingerprint  # asked just before it publishes
        latest = self.latest(slug)
        if latest is None:
            return _not_found()
        same = (each for each in self.published if (each.slug, each.fingerprint) == (slug, fingerprint))
        match = next(({"version": each.version} for each in same), None)
        return in_json({"match": match, "latestVersion": {"version": latest.version}})

    def _describe(self, slug: str, rest: list[str]) -> Reply:
        latest = self.latest(slug)
        if latest is None:
            return _not_found()
        named = {"slug": slug, "displayName": slug}
        version = {"version": latest.version, "createdAt": 1, "changelog": "", "license": "MIT-0"}
        match rest:
            case []:
                dated = {
                    "summary": slug,
                    "tags": {"latest": latest.version},
                    "stats": {},
                    "createdAt": 1,
                    "updatedAt": 1,
                }
                owner = {"handle": OWNER, "displayName": OWNER, "image": None}
                skill = {"skill": named | dated, "latestVersion": version, "metadata": None, "owner": owner}
                return in_json(skill | {"moderation": None})
            case ["versions", _]:
                return in_json({"version": version, "skill": named})
        return _not_found()

    def _download(self, slug: str) -> Reply:
        latest = self.latest(slug)
        if latest is None:
            return _not_found()
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as packed:
            for path, content in latest.files.items():
                packed.writestr(path, content)
        return Reply(archive.getvalue(), kind="application/zip")


def _not_found() -> Reply:
    return in_json({"error": "Skill not found"}, status=404)

"""The digest of a base image: kept, or asked ahead of the search."""

from __future__ import annotations

from dataclasses import replace
from threading import Event
from typing import TYPE_CHECKING

import pytest

from tests.support.locks import cpu_lock
from tfenv.errors import IndexUnavailable, TfenvError
from tfenv.facts.database import load
from tfenv.inputs.request import Request
from tfenv.model.lock import BaseImage
from tfenv.model.progress import Silent
from tfenv.store.cache import Cache
from tfenv.workflow.lock.base_digest import BaseDigest
from tfenv.workflow.lock.supply import Supply
from tfenv.workflow.lock.wanted import gather

if TYPE_CHECKING:
    from pathlib import Path

IMAGE = "127.0.0.1:9/library/python:3.13.9-slim-bookworm"
DIGEST = f"sha256:{'a' * 64}"
LOCKED = replace(cpu_lock(), base_image=BaseImage(reference=IMAGE, digest=DIGEST))


def test_the_digest_of_an_image_is_kept() -> None:
    """No registry is asked for an image that is locked, offline or not; one of another name is."""
    reported: list[TfenvError] = []
    for offline in (True, False):
        digests = BaseDigest(LOCKED, False, offline=offline, report=reported.append)
        assert digests.of(IMAGE) == DIGEST
        with pytest.raises(IndexUnavailable):
            digests.of(f"{IMAGE}2")
    nothing_asked, not_reached = (error.message for error in reported)
    assert nothing_asked == "no registry is asked when offline"
    assert not_reached.startswith("http://127.0.0.1:9/v2/library/python")


def test_an_upgrade_asks_the_registry() -> None:
    """With `--upgrade` it is asked, and if it cannot be reached, the digest in the old lock counts."""
    reported: list[TfenvError] = []
    for offline in (True, False):
        assert BaseDigest(LOCKED, True, offline=offline, report=reported.append).of(IMAGE) == DIGEST
    assert reported == []


def test_an_expected_image_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The request for an expected image is under way before its digest is wanted, and is not repeated."""
    asked, begun = list[str](), Event()

    def digest(reference: str) -> str:
        asked.append(reference)
        begun.set()
        return DIGEST

    monkeypatch.setattr("tfenv.image.registry.digest", digest)
    digests = BaseDigest(None, False, offline=False, report=lambda error: None)
    digests.expect(IMAGE)
    assert begun.wait(10)
    digests.expect(IMAGE)
    assert digests.of(IMAGE) == digests.of(IMAGE) == DIGEST
    assert asked == [IMAGE]


def test_an_image_expected_in_vain_is_not_reported() -> None:
    """An error for an image that the lock does not have in the end concerns nobody; offline nothing is asked."""
    reported: list[TfenvError] = []
    BaseDigest(None, False, offline=False, report=reported.append).expect(IMAGE)
    BaseDigest(None, False, offline=True, report=reported.append).expect(IMAGE)
    assert reported == []


@pytest.mark.parametrize(
    ("request_", "python"),
    [
        (Request(tf="2.20"), "3.13"),
        (Request(tf="2.20", python="3.11"), "3.11"),
        (Request(tf="2.17", gpus=["V100"]), "3.12"),
        (Request(tf="1.15"), "3.7"),
        (Request(tf="1.15", gpus=["V100"]), None),
        (Request(tf="2.20", platform="windows-x86_64"), None),
        (Request(tf="2.20", python="3.8"), None),
    ],
)
def test_the_image_that_is_expected(request_: Request, python: str | None, tmp_path: Path) -> None:
    """It is that of the newest Python of the release; none where the lock needs an image with CUDA, or has none."""
    goal = gather(request_, detect=lambda: ((), None)).goal
    supply = Supply(
        goal, database=load(), cache=Cache(tmp_path), indexes=(), offline=True, progress=Silent(), expected=()
    )
    image = supply.usual_image()
    assert (None if image is None else image.partition(":")[2].partition("-")[0].rpartition(".")[0]) == python

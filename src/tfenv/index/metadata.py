"""Core metadata of a file, obtained in the cheapest way that its index offers."""

from __future__ import annotations

import hashlib
import re
import zipfile
from itertools import islice
from typing import TYPE_CHECKING, Any

from packaging.metadata import parse_email

from tfenv.errors import IndexUnavailable, IntegrityError
from tfenv.index.client import RangesUnsupported
from tfenv.index.documents import key
from tfenv.index.open_wheel import open_wheel
from tfenv.model.package import normalize

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tfenv.index.client import Client
    from tfenv.model.package import File
    from tfenv.store.cache import Cache

_METADATA_LIMIT = 16 * 2**20
_WANTED = re.compile(
    rb"^(?:requires-dist|requires-python|provides-extra):.*(?:\n[ \t].*)*", re.IGNORECASE | re.MULTILINE
)
_ARCHIVE_LIMIT = 2 * 2**30
_MOST_FIELDS, _FIELDS_LIMIT = 20_000, 2**20
"""lines, and bytes, of the fields that are read; apache-airflow has some 2,000"""
_HINT = "exclude this release: `--with 'NAME!=VERSION'`"


async def fetch(file: File, *, client: Client, cache: Cache) -> dict[str, Any]:
    """The metadata of a wheel, or of a source distribution without building it, in the form of the cache.

    Args:
        file: file as listed by the index.
        client: client for the requests.
        cache: cache that keeps the metadata.

    Raises:
        IndexUnavailable: the metadata is not available, or the file has none.
        IntegrityError: a file does not have the hash that the index lists.
    """
    document = await (_of_wheel(file, client, cache) if file.is_wheel else _of_sdist(file, client))
    cache.keep_document(key(file), document)
    return document


async def _of_wheel(file: File, client: Client, cache: Cache) -> dict[str, Any]:
    """The metadata of a wheel: by PEP 658, or else by range requests, or else from the whole wheel."""
    if file.metadata_sha256 is not None:
        response = await client.get(f"{file.url}.metadata", limit=_METADATA_LIMIT)
        if response.status_code == 200:
            if file.metadata_sha256 and hashlib.sha256(response.content).hexdigest() != file.metadata_sha256:
                raise IntegrityError(f"{file.url}.metadata does not have the hash that {file.index} lists")
            return _parsed(response.content)
    archive = await open_wheel(file, client=client, cache=cache)
    try:
        return _parsed(await archive.read(_member(file, archive.names()), limit=_METADATA_LIMIT))
    except RangesUnsupported:
        raise IndexUnavailable(f"the server of {file.url} supports ranges only sometimes") from None
    except zipfile.BadZipFile as error:
        raise IndexUnavailable(f"{file.url} is not a valid wheel: {error}") from None


def _member(file: File, names: Iterable[str]) -> str:
    """The name of the `*.dist-info/METADATA` at the top of the archive."""
    found = [name for name in names if name.endswith(".dist-info/METADATA") and name.count("/") == 1]
    for name in found:
        if normalize(name.removesuffix(".dist-info/METADATA").rpartition("-")[0]) == file.name:
            return name
    raise zipfile.BadZipFile("it has no METADATA")


async def _of_sdist(file: File, client: Client) -> dict[str, Any]:
    if file.metadata_sha256 is not None:  # PEP 658 allows this if the metadata is final
        response = await client.get(f"{file.url}.metadata", limit=_METADATA_LIMIT)
        if response.status_code == 200 and (
            not file.metadata_sha256 or hashlib.sha256(response.content).hexdigest() == file.metadata_sha256
        ):
            return _parsed(response.content)
    from tfenv.index import sdist

    try:
        found = sdist.declared(await _whole(file, client), file.filename)
    except ValueError as error:
        raise IndexUnavailable(f"{file.url} is not a valid source distribution: {error}") from None
    return {
        "requires": list(found.requires),
        "requires_python": found.requires_python,
        "extras": list(found.extras),
        "dynamic": found.dynamic,
    }


async def _whole(file: File, client: Client) -> bytes:
    response = await client.get(file.url, {"Accept-Encoding": "identity"}, limit=_ARCHIVE_LIMIT)
    if response.status_code != 200:
        raise IndexUnavailable(
            f"{file.url} answered {response.status_code}", hint="the index lists this file but does not serve it"
        )
    if file.sha256 is not None and hashlib.sha256(response.content).hexdigest() != file.sha256:
        raise IntegrityError(f"{file.url} does not have the SHA-256 that {file.index} lists")
    return response.content


def _parsed(text: bytes) -> dict[str, Any]:
    """The fields that matter; the description, often the largest part, is not parsed."""
    head = text.replace(b"\r\n", b"\n").partition(b"\n\n")[0]
    found = [match[0] for match in islice(_WANTED.finditer(head), _MOST_FIELDS + 1)]
    if len(found) > _MOST_FIELDS or sum(map(len, found)) > _FIELDS_LIMIT:
        raise IndexUnavailable("the metadata has more requirements than tfenv reads", hint=_HINT)
    raw, _ = parse_email(b"\n".join(found))
    return {
        "requires": raw.get("requires_dist", []),
        "requires_python": raw.get("requires_python"),
        "extras": raw.get("provides_extra", []),
        "dynamic": False,
    }

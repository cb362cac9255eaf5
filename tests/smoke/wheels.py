"""Small wheels made on the spot, put into a cache as if they had been downloaded, and the lock that names them."""

from __future__ import annotations

import hashlib
import io
import sys
import tarfile
import zipfile
from base64 import urlsafe_b64encode
from dataclasses import replace
from typing import TYPE_CHECKING

from packaging.version import Version

from tests.support.locks import cpu_lock, package
from tfenv.machine.detect import this_platform
from tfenv.model.lock import Needs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tfenv.model.lock import Lock, LockedPackage
    from tfenv.store.cache import Cache

HERE = this_platform()
PYTHON = Version(f"{sys.version_info.major}.{sys.version_info.minor}")


def stored(cache: Cache, filename: str, content: bytes) -> LockedPackage:
    """A locked package whose file lies in the cache."""
    locked = package(filename, sha256=hashlib.sha256(content).hexdigest(), size=len(content), requires_python=None)
    path = cache.file(locked.file.sha256 or "", filename)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return locked


def wheel(cache: Cache, name: str, version: str, files: Mapping[str, str] | None = None) -> LockedPackage:
    """A wheel of pure Python with these files, or with one module of its name."""
    info = f"{name}-{version}.dist-info"
    texts = {
        **({f"{name}.py": f"version = {version!r}\n"} if files is None else files),
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = f"{info}/RECORD,,\n"
    for path, text in texts.items():
        digest = urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        record += f"{path},sha256={digest},{len(text.encode())}\n"
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path, text in {**texts, f"{info}/RECORD": record}.items():
            archive.writestr(zipfile.ZipInfo(path), text)
    return stored(cache, f"{name}-{version}-py3-none-any.whl", buffer.getvalue())


def source(cache: Cache, name: str, version: str) -> LockedPackage:
    """A source distribution that builds itself, with no tool but Python (PEP 517, `backend-path`)."""
    root = f"{name}-{version}"
    texts = {
        "pyproject.toml": '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n',
        "PKG-INFO": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        "backend.py": (
            "import os, zipfile\n"
            "def build_wheel(folder, config_settings=None, metadata_directory=None):\n"
            f"    name, version = '{name}', '{version}'\n"
            "    info = name + '-' + version + '.dist-info/'\n"
            "    texts = {name + '.py': 'built = True', info + 'WHEEL': 'Wheel-Version: 1.0\\nTag: py3-none-any\\n'\n"
            "             'Root-Is-Purelib: true\\n',\n"
            "             info + 'METADATA': 'Metadata-Version: 2.1\\nName: %s\\nVersion: %s\\n' % (name, version)}\n"
            "    texts[info + 'RECORD'] = ',,\\n'.join([*texts, info + 'RECORD', ''])\n"
            "    name = name + '-' + version + '-py3-none-any.whl'\n"
            "    with zipfile.ZipFile(os.path.join(folder, name), 'w') as archive:\n"
            "        for path, text in texts.items():\n"
            "            archive.writestr(path, text)\n"
            "    return name\n"
        ),
    }
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for path, text in texts.items():
            member = tarfile.TarInfo(f"{root}/{path}")
            member.size = len(text.encode())
            archive.addfile(member, io.BytesIO(text.encode()))
    return stored(cache, f"{root}.tar.gz", buffer.getvalue())


def lock_of(*packages: LockedPackage) -> Lock:
    """A lock of these packages, for this host and this Python."""
    assert HERE is not None, "these tests need a platform that TensorFlow has wheels for"
    lock = cpu_lock()
    return replace(
        lock,
        target=replace(lock.target, platform=HERE, python=PYTHON),
        packages=tuple(sorted(packages, key=lambda each: each.name)),
        needs=Needs(),
        environment=(),
    )

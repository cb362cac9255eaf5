"""The image of a lock, assembled from the wheels without a container: the same bytes on every machine."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from tfenv.errors import EngineError, IndexUnavailable, UsageError
from tfenv.image.base import saved
from tfenv.image.engine import Engine
from tfenv.image.layer import Descriptor, Layer, LayerEntry, folder, wheel_entries
from tfenv.image.oci import NewImage
from tfenv.image.transfer import pull
from tfenv.index.download import download
from tfenv.model.lock import Origin
from tfenv.model.progress import Progress, Silent
from tfenv.outputs import dockerfile
from tfenv.store import files
from tfenv.store.cache import CACHE_HINT, Cache

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from tfenv.image.base import Base
    from tfenv.image.engine import HeldImage
    from tfenv.model.lock import Lock

TASK = "layers"
"""Name of the task reported to `Progress`; its unit is layers."""

_VENV = "opt/venv"
_USER = "tfenv:x:1000:1000::/home/tfenv:/bin/bash\n"
_GROUP = "tfenv:x:1000:\n"
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_BINARIES = ("usr/local/bin", "usr/bin")
_CUDA = "usr/local/cuda"
_TABLES = ("etc/passwd", "etc/group")
_KNOWN = "oci-layer-2"
"""part of the key of remembered digests; changes whenever the same wheels would make another layer"""


def assemble(
    lock: Lock,
    *,
    base: str | None = None,
    offline: bool = False,
    cache: Cache | None = None,
    connect: Callable[[], Engine] = Engine.connect,
    progress: Progress | None = None,
) -> NewImage:
    """The image of a lock.

    Args:
        lock: lock for a Linux platform, of wheels only.
        base: reference of a base image to use instead of the lock's.
        offline: whether to use only wheels in the cache, and a base image in the cache or the engine.
        cache: cache of wheels and base images; by default the user's.
        connect: opens a connection to an engine, which is used for a base image that no registry provides.
        progress: reports downloads and layers.

    Raises:
        UsageError: no image can be made from the lock, or not on this base image.
        IndexUnavailable: a wheel or the base image is not available.
        IntegrityError: a wheel does not have the hash in the lock, or is malformed, or a base layer changed.
        HostError: the cache cannot be read or written.
    """
    reporter, cache = progress or Silent(), cache or Cache()
    platform = dockerfile.platform(lock)
    built = [package.name for package in lock.packages if not package.file.is_wheel]
    if built:
        raise UsageError(
            f"{', '.join(built)}: published only as source, which must be built in the image",
            hint="use `tfenv build` without `--format oci`",
        )
    reference = dockerfile.base_reference(lock, base)
    start = _base(reference, platform, cache=cache, offline=offline, connect=connect, progress=reporter)
    fetched = download([package.file for package in lock.packages], cache=cache, offline=offline, progress=reporter)
    python = f"python{lock.target.python}"
    there = start.contents([*(f"{place}/{python}" for place in _BINARIES), *_TABLES, _CUDA])
    own = _environment(reference, there, python)
    groups = [(group.name, group.packages) for group in dockerfile.layers(lock)]
    if (pip := dockerfile.installer(lock)) is not None:
        groups.append((pip.name, pip.packages))
    schemes = _schemes(python)
    layers = [Layer("environment", own)]
    keys: list[str | None] = [None]
    for name, packages in groups:
        wheels = [fetched[package.file.filename] for package in packages]
        entries = (entry for wheel in wheels for entry in wheel_entries(wheel, schemes, f"/{_VENV}/bin/python"))
        layers.append(Layer(name, entries))
        keys.append(_key(schemes, [package.file.sha256 or "" for package in packages]))
    folders, settings = _loader(layers, with_cuda=_CUDA not in there)
    if lock.stack.origin is Origin.WHEELS:
        layers.append(Layer("loader path", settings))
        keys.append(None)
    reporter.start(TASK, len(layers))
    with ThreadPoolExecutor() as pool:
        descriptors = list(pool.map(lambda layer, key: _measured(layer, key, cache, reporter), layers, keys))
    reporter.finish(TASK)
    return NewImage(
        base=start.configuration,
        layers=(*((layer.descriptor, layer) for layer in start.layers), *zip(descriptors, layers, strict=True)),
        comments=tuple(layer.name for layer in layers),
        settings=_settings(lock, start, reference, folders if lock.stack.origin is Origin.WHEELS else ()),
    )


def load(image: NewImage, tag: str, *, engine: Engine, progress: Progress | None = None) -> HeldImage:
    """Load an image into an engine; layers that the engine has are not sent again.

    Raises:
        EngineError: the engine refuses the image.
    """
    progress = progress or Silent()
    reference = image.settings["Labels"][dockerfile.BASE_LABEL]
    there = [each.layers for each in engine.find({dockerfile.BASE_LABEL: reference})]
    if (found := engine.image(reference)) is not None:
        there.append(found.layers)
    wanted = [descriptor.diff_id for descriptor, _ in image.layers]
    known = max((_common(wanted, each) for each in there), default=0)
    # an archive has no default tag
    name = tag if ":" in tag.rpartition("/")[2] else f"{tag}:latest"
    try:
        engine.load(image.archive(name, progress, wanted[:known]))
    except EngineError:
        if not known:
            raise
        # an engine may have layers but not find them by their content (containerd's store)
        engine.load(image.archive(name, progress))
    loaded = engine.image(tag)
    if loaded is None:
        raise EngineError(f"the image {tag} disappeared right after it was loaded", hint="build it again")
    return loaded


def _common(one: list[str], other: tuple[str, ...]) -> int:
    count = 0
    for mine, yours in zip(one, other, strict=False):
        if mine != yours:
            break
        count += 1
    return count


def _measured(layer: Layer, key: str | None, cache: Cache, progress: Progress) -> Descriptor:
    """The digests of a layer; those of wheels are computed once on a machine."""
    known = cache.document(key) if key else None
    if known is not None:
        with suppress(TypeError):
            progress.advance(TASK)
            return Descriptor(**known)
    found = layer.measure()
    if key:
        cache.keep_document(key, {name: getattr(found, name) for name in Descriptor.__dataclass_fields__})
    progress.advance(TASK)
    return found


def _key(schemes: Mapping[str, str], hashes: Iterable[str]) -> str:
    return " ".join((_KNOWN, schemes["purelib"], *hashes))


def _schemes(python: str) -> dict[str, str]:
    site = f"/{_VENV}/lib/{python}/site-packages"
    return {
        "purelib": site,
        "platlib": site,
        "scripts": f"/{_VENV}/bin",
        "data": f"/{_VENV}",
        "headers": f"/{_VENV}/include",
    }


def _environment(reference: str, there: Mapping[str, bytes | None], python: str) -> list[LayerEntry]:
    """An empty virtual environment with the Python of the base image, and its user.

    Raises:
        UsageError: the base image does not have this Python.
    """
    command = next((f"{place}/{python}" for place in _BINARIES if f"{place}/{python}" in there), None)
    if command is None:
        raise UsageError(
            f"`{reference}` has no {python}",
            hint="use `tfenv build` without `--format oci`, which installs it, or `--base-image IMAGE`",
        )
    users, groups = ((there.get(name) or b"").decode() for name in _TABLES)
    home = f"/{command.rpartition('/')[0]}"
    configuration = f"home = {home}\ninclude-system-site-packages = false\nversion = {python.removeprefix('python')}\n"
    return [
        LayerEntry(path="etc/passwd", data=(users if _has(users) else users + _USER).encode()),
        LayerEntry(path="etc/group", data=(groups if _has(groups) else groups + _GROUP).encode()),
        folder("app", owner=1000),
        folder("home/tfenv", owner=1000),
        LayerEntry(path=f"{_VENV}/pyvenv.cfg", data=configuration.encode()),
        LayerEntry(path=f"{_VENV}/bin/{python}", link=f"/{command}"),
        LayerEntry(path=f"{_VENV}/bin/python3", link=python),
        LayerEntry(path=f"{_VENV}/bin/python", link=python),
        LayerEntry(path=f"{_VENV}/lib64", link="lib"),
        folder(f"{_VENV}/lib/{python}/site-packages"),
    ]


def _has(table: str) -> bool:
    return any(line.startswith("tfenv:") for line in table.splitlines())


def _loader(layers: Iterable[Layer], *, with_cuda: bool) -> tuple[tuple[str, ...], list[LayerEntry]]:
    """Folders of the CUDA libraries, and the files that show them to the loader and `ptxas` and `libdevice` to XLA."""
    paths = [path for layer in layers for path in layer.paths() if "/site-packages/nvidia/" in path]
    libraries = {path.rpartition("/")[0] for path in paths if "/lib/" in path and ".so" in path.rpartition("/")[2]}
    folders = tuple(sorted(f"/{path}" for path in libraries if path.endswith("/lib")))
    entries = [
        LayerEntry(path="etc/ld.so.conf.d/00-tfenv.conf", data="".join(f"{path}\n" for path in folders).encode())
    ]
    tools = sorted({path.partition("/nvvm/")[0] for path in paths if "/nvvm/" in path})
    if tools and with_cuda:
        entries.append(LayerEntry(path=_CUDA, link=f"/{tools[0]}"))
    return folders, entries


def _settings(lock: Lock, base: Base, reference: str, folders: tuple[str, ...]) -> dict[str, Any]:
    inherited = base.configuration.get("config") or {}
    environment = dict(line.partition("=")[::2] for line in inherited.get("Env") or ())
    environment["VIRTUAL_ENV"] = f"/{_VENV}"
    environment["PATH"] = f"/{_VENV}/bin:{environment.get('PATH', _PATH)}"
    if folders:
        # `ldconfig` does not run in this image
        environment["LD_LIBRARY_PATH"] = ":".join([*folders, *filter(None, [environment.get("LD_LIBRARY_PATH")])])
    environment |= dict(dockerfile.environment(lock))
    labels = {**(inherited.get("Labels") or {}), **dict(dockerfile.labels(lock)), dockerfile.BASE_LABEL: reference}
    return {
        "User": "tfenv",
        "WorkingDir": "/app",
        "Cmd": ["python"],
        "Env": [f"{name}={value}" for name, value in environment.items()],
        "Labels": labels,
    }


def _base(
    reference: str,
    platform: str,
    *,
    cache: Cache,
    offline: bool,
    connect: Callable[[], Engine],
    progress: Progress,
) -> Base:
    """The base image from its registry, or else from an engine that has it."""

    def place(sha256: str) -> Path:
        with files.writing(cache.directory, hint=CACHE_HINT):
            cache.prepare()
        return cache.file(sha256, "layer")

    missing: IndexUnavailable | None = None
    if not offline:
        try:
            return pull(reference, platform, place=place, progress=progress)
        except IndexUnavailable as error:
            missing = error
    try:
        with connect() as engine:
            return saved(engine, reference, place)
    except EngineError as error:
        if missing is None:
            raise
        raise IndexUnavailable(f"{missing.message}; and {error.message}", hint=missing.hint) from error

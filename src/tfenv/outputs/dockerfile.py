"""A lock as a Dockerfile: the packages of each layer, the requirements on the host, and safe quoting.

The layout is `templates/Dockerfile.j2`. Each layer is installed in a stage of its own, with its requirement lines in
the `RUN` itself, so both builders of Docker reuse a layer exactly as long as its packages stay the same. The image
contains the unpacked packages, but neither wheels nor caches.
"""

from __future__ import annotations

import hashlib
import re
import shlex
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from packaging.utils import is_normalized_name

from tfenv.errors import UsageError
from tfenv.model.lock import Origin
from tfenv.model.package import TENSORFLOWS
from tfenv.model.target import Platform
from tfenv.outputs import pylock
from tfenv.store.heading import FIRST_LINE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jinja2 import Template

    from tfenv.model.lock import Lock, LockedPackage, Needs

LOCK_LABEL = "dev.tfenv.lock"
"""label that holds `lock_digest`"""
BASE_LABEL = "org.opencontainers.image.base.name"
"""label that holds the reference of the base image"""
CA_FILE, WHEELS_FOLDER = "ca.pem", "wheels"
"""names in the build context: a bundle of certificate authorities; the folder with one subfolder for each layer"""

_PLATFORMS = {Platform.LINUX_X86_64: "linux/amd64", Platform.LINUX_AARCH64: "linux/arm64"}
_HEAVY = 200 * 2**20
"""bytes; a wheel of this size or more gets its own layer, so that a new cuDNN does not replace the layer of cuBLAS"""

_SHA256 = re.compile(r"[0-9a-f]{64}")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# the grammar of https://pkg.go.dev/github.com/distribution/reference, with the lengths left to the registry
_REFERENCE = re.compile(
    r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::\d+)?/)?"
    r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*"
    r"(?::\w[\w.-]{0,127})?(?:@sha256:[0-9a-f]{64})?",
    re.ASCII,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class InstallLayer:
    """Packages that are installed together.

    Attributes:
        name: name that is unique in the lock, also of the folder of its wheels in the build context.
        packages: packages of the layer, sorted by name.
        cuda: whether these are the CUDA libraries.
        built: whether these are source distributions, which are built during installation.
    """

    name: str
    packages: tuple[LockedPackage, ...]
    cuda: bool = False
    built: bool = False

    @property
    def requirements(self) -> tuple[str, ...]:
        """Lines for pip, each with its hash."""
        return tuple(f"{each.name}=={each.version} --hash=sha256:{each.file.sha256}" for each in self.packages)


def lock_digest(lock: Lock) -> str:
    """SHA-256 in hex of the text of `pylock.toml`; the image carries it as the label `LOCK_LABEL`."""
    return hashlib.sha256(pylock.dumps(lock).encode()).hexdigest()


def is_reference(text: str) -> bool:
    """Whether a text has the form of an image reference, `[registry/]repository[:tag][@digest]`."""
    return _REFERENCE.fullmatch(text) is not None


def base_reference(lock: Lock, base: str | None = None) -> str:
    """The image to start from: `base`, or else the base image of the lock, by digest if that is known.

    Raises:
        UsageError: there is neither, or `base` is not an image reference.
    """
    reference = base or (str(lock.base_image) if lock.base_image else None)
    if reference is None:
        raise UsageError("the lock names no base image", hint="name one with `--base-image IMAGE`")
    if not is_reference(reference):
        raise UsageError(
            f"`{reference}` is not the reference of an image", hint="for example python:3.12-slim-bookworm"
        )
    return reference


def installer(lock: Lock) -> InstallLayer | None:
    """The locked pip, which replaces the pip of the base image before anything else is installed."""
    pip = lock.package("pip")
    return None if pip is None else InstallLayer(name="pip", packages=(pip,))


def layers(lock: Lock) -> tuple[InstallLayer, ...]:
    """The layers in the order of the image: CUDA wheels, TensorFlow, other wheels, source distributions."""
    cuda, tensorflow, other, built = [], [], [], []
    for package in lock.packages:
        if package.name == "pip":
            continue
        if not package.file.is_wheel:
            built.append(package)
        elif package.name.startswith("nvidia-"):
            cuda.append(package)
        elif package.name in TENSORFLOWS:
            tensorflow.append(package)
        else:
            other.append(package)
    return (
        *_split("cuda", cuda, cuda=True),
        *_split("tensorflow", tensorflow),
        *_split("packages", other),
        *([InstallLayer(name="source-distributions", packages=tuple(built), built=True)] if built else []),
    )


def _split(name: str, packages: Iterable[LockedPackage], *, cuda: bool = False) -> list[InstallLayer]:
    """One layer for each heavy wheel, heaviest first, and one for the rest."""
    heavy = sorted(
        (each for each in packages if (each.file.size or 0) >= _HEAVY),
        key=lambda each: (-(each.file.size or 0), each.name),
    )
    rest = tuple(each for each in packages if each not in heavy)
    # the prefix keeps a package named `cuda` or `packages` from taking the name of a group
    found = [InstallLayer(name=f"wheel-{each.name}", packages=(each,), cuda=cuda) for each in heavy]
    return [*found, *([InstallLayer(name=name, packages=rest, cuda=cuda)] if rest else [])]


def require_cuda(needs: Needs) -> str:
    """The value of `NVIDIA_REQUIRE_CUDA`: driver and architectures that the lock needs; empty if it needs no driver.

    A comma means *and*, a space means *or*; each visible GPU is checked separately. Machine code runs on GPUs of the
    same major version from its minor version on, PTX on all newer ones. Source of the syntax: https://github.com/NVIDIA/libnvidia-container,
    `src/cli/dsl.c` and `src/cli/configure.c`.
    """
    if needs.driver is None:
        return ""
    spans: list[tuple[int, int | None]] = []
    """first and one past the last, in tenths of a capability"""
    for each in sorted(needs.sass):
        low = each.capability.major * 10 + each.capability.minor
        high = low + 1 if each.variant == "a" else (each.capability.major + 1) * 10
        if spans and spans[-1][1] is not None and low <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(high, spans[-1][1]))
        else:
            spans.append((low, high))
    for each in sorted(needs.ptx)[:1]:
        low = each.capability.major * 10 + each.capability.minor
        below = [span for span in spans if span[0] < low]
        if below and below[-1][1] is not None and below[-1][1] >= low:
            low = below.pop()[0]
        spans = [*below, (low, None)]
    if not spans:
        return f"driver>={needs.driver}"
    drivers = [(0, needs.driver), *((each.major * 10 + each.minor, driver) for each, driver in needs.drivers)]
    ends = [start for start, _ in drivers[1:]]
    words = []
    for span, last in spans:
        for (start, driver), following in zip(drivers, [*ends, None], strict=True):
            first = max(span, start)
            end = min((each for each in (last, following) if each is not None), default=None)
            if end is None or first < end:
                until = "" if end is None else f",arch<{_tenths(end)}"
                words.append(f"driver>={driver},arch>={_tenths(first)}{until}")
    return " ".join(words)


def _tenths(number: int) -> str:
    return f"{number // 10}.{number % 10}"


def dumps(
    lock: Lock,
    *,
    wheels: Literal["index", "context"] = "index",
    base: str | None = None,
    ca: bool = False,
    digest: str | None = None,
) -> str:
    """The text of the Dockerfile.

    Args:
        lock: lock for a Linux platform.
        wheels: ``index`` downloads them inside the build, so that the file needs nothing else; ``context`` takes them
            from `WHEELS_FOLDER` of the build context, one folder for each of `layers` and `installer`.
        base: reference of a base image to use instead of the lock's.
        ca: whether the build context contains `CA_FILE`, which pip then trusts (with ``index``).
        digest: result of `lock_digest`, if it is known already.

    Raises:
        UsageError: there are no images for the platform, no base image is known, or a value would be unsafe in a
            Dockerfile.
    """
    of_image = platform(lock)
    python = lock.target.python
    if python is None:
        raise UsageError("the lock names no Python", hint="lock again with `tfenv lock`")
    command = f"python{python.major}.{python.minor}"
    first, *others = lock.request.indexes or ("https://pypi.org/simple/",)
    return template().render(
        first_line=FIRST_LINE,
        wheels=wheels,
        base=base_reference(lock, base),
        base_label=BASE_LABEL,
        ca=ca,
        platform=of_image,
        python=command,
        system_python=lock.stack.origin is Origin.SYSTEM,
        site=f"/opt/venv/lib/{command}/site-packages",
        index=first,
        extra_indexes=" ".join(others),
        installer=installer(lock),
        layers=layers(lock),
        cuda_wheels=lock.stack.origin is Origin.WHEELS,
        environment=environment(lock),
        labels=labels(lock, digest),
    )


def platform(lock: Lock) -> str:
    """The platform of a lock as images name it: `linux/amd64` or `linux/arm64`.

    Raises:
        UsageError: there are no images for it, or a name in the lock would be unsafe in a Dockerfile.
    """
    found = _PLATFORMS.get(lock.target.platform.wheels)
    if found is None:
        raise UsageError(f"there are no images for {lock.target.platform}", hint="lock for a Linux platform")
    _check(lock)
    return found


def environment(lock: Lock) -> list[tuple[str, str]]:
    """Variables that the image sets besides those of its virtual environment."""
    found = list(lock.environment)
    if lock.needs.driver is not None:
        found += [
            ("NVIDIA_VISIBLE_DEVICES", "all"),
            ("NVIDIA_DRIVER_CAPABILITIES", "compute,utility"),
            ("NVIDIA_REQUIRE_CUDA", require_cuda(lock.needs)),
        ]
    return found


def labels(lock: Lock, digest: str | None = None) -> list[tuple[str, str]]:
    """Labels of the image besides `BASE_LABEL`; `digest` is the result of `lock_digest`, if it is known already."""
    tensorflow = next((each for each in lock.packages if each.name in TENSORFLOWS), None)
    parts = [f"Python {lock.target.python}"]
    if lock.stack.cuda is not None:
        parts.append(f"CUDA {lock.stack.cuda}")
    if lock.stack.cudnn is not None:
        parts.append(f"cuDNN {lock.stack.cudnn}")
    found = []
    if tensorflow is not None:
        parts.insert(0, f"{tensorflow.name} {tensorflow.version}")
        found.append(("org.opencontainers.image.version", str(tensorflow.version)))
    return [("org.opencontainers.image.title", ", ".join(parts)), *found, (LOCK_LABEL, digest or lock_digest(lock))]


def _check(lock: Lock) -> None:
    """Refuse names, hashes and variables that are not valid: the lock may have been edited."""
    faults = []
    for package in lock.packages:
        if not is_normalized_name(package.name):
            faults.append(f"{package.name!r} is not a normalized project name")
        if _SHA256.fullmatch(package.file.sha256 or "") is None:
            faults.append(f"{package.name!r} has no SHA-256 of 64 lower-case hexadecimal digits")
        if Path(package.file.filename).name != package.file.filename:
            faults.append(f"{package.file.filename!r} is not a filename")
    faults += [f"{name!r} is not a name of a variable" for name, _ in lock.environment if not _VARIABLE.fullmatch(name)]
    if faults:
        raise UsageError("no Dockerfile can be made from this lock", faults=tuple(faults))


def _printable(text: str) -> str:
    if not text.isprintable():
        raise UsageError(f"{text!r} contains control characters, which a Dockerfile cannot", hint="check the lock")
    return text


def _value(text: str) -> str:
    """Quoted for `ARG`, `ENV` and `LABEL`: spaces are safe in double quotes; backslash, quote and dollar are not."""
    return '"' + re.sub(r'([\\"$])', r"\\\1", _printable(text)) + '"'


def _shell(text: str) -> str:
    """Quoted for `sh` inside `RUN`."""
    return shlex.quote(_printable(text))


@lru_cache(maxsize=1)
def template() -> Template:
    """The layout, from the package (installed) or from the root of the repository (editable).

    Compiling it takes longer than rendering it, so `lock` compiles it while it waits for the index.
    """
    from jinja2 import Environment, StrictUndefined

    templates = Environment(
        autoescape=False,  # noqa: S701 - not HTML; the filters `value` and `shell` quote each value
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    templates.filters.update(value=_value, shell=_shell)
    package = Path(__file__).parents[1]
    beside = package / "templates"
    folder = beside if beside.is_dir() else package.parents[1] / "templates"
    return templates.from_string((folder / "Dockerfile.j2").read_text(encoding="utf-8"))

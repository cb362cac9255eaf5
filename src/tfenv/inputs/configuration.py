"""A `Configuration` from the JSON document of `check --from`, or from options of `check`."""

from __future__ import annotations

import re
from dataclasses import fields, replace
from typing import TYPE_CHECKING, TypedDict

from packaging.requirements import InvalidRequirement
from packaging.requirements import Requirement as PackagingRequirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import Version

from tfenv.errors import UsageError
from tfenv.inputs.environments import asks_for_gpu
from tfenv.model import document
from tfenv.model.configuration import Configuration
from tfenv.model.document import Table
from tfenv.model.hardware import ComputeCapability
from tfenv.model.package import Name, normalize
from tfenv.model.target import Machine, Platform
from tfenv.store import formats

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Unpack

_NUMBER = re.compile(r"v?(\d+(?:\.\d+)*)")
_NO_GPU = ("none", "cpu", "no", "n/a", "")
_ANY_GPU = re.compile(
    r"(?:cuda|gpu|auto|cuda ?\d+|yes|true|any|(?:an? )?(?:nvidia|cuda)(?: corporation)?(?: gpu| graphics(?: card)?)?|"
    r"graphics (?:device|card)|1? ?gpus?)",
    re.IGNORECASE,
)
_CUDA = re.compile(r"cuda ?(\d+)", re.IGNORECASE)

_BRACKETED = re.compile(r"\[([^\]]+)\]")
"""The name in a line of `lspci`."""
_ASIDE = re.compile(
    r"""
    ^(?:gpu\s*)?\#?\d{1,2}\s*:\s*                              # GPU 0:
    | ^(?:\d{1,2}\s*[x\u00d7*]\s*|\d{1,2}\s+(?=[a-z])|(?:one|single|two|dual|three|four|eight)\s+)   # 2x, two
    | (?:\s*[\u00d7*]|(?<!tegra)\s+x)\s*\d{1,2}$              # x2 at the end
    | \s*\([^)]*\d\s*[gm]i?b[^)]*\)                           # (12 GB VRAM)
    | \s+(?:with|of|and|-|/)?\s*\d+(?:\s*(?:or|/)\s*\d+)?\s*[gm]i?b(?![-\w.]).*$  # with 2 GB each
    | \s*\b(?:rev\.?|revision)\s+\w+\s*$                      # Rev. A
    """,
    re.IGNORECASE | re.VERBOSE,
)
"""Words beside a name: its number, how many there are, their memory."""
_NO_NAME = re.compile(r"\d+(?:\.\d+)?\s*[gm](?:i?b)?\b.*|(?:driver|cuda|cudnn|memory|vram)\b.*|\d*", re.IGNORECASE)

_SYSTEMS = (
    ("musl", re.compile(r"alpine|musl", re.IGNORECASE)),
    ("wsl", re.compile(r"wsl|windows subsystem", re.IGNORECASE)),
    ("windows", re.compile(r"windows|^win", re.IGNORECASE)),
    ("macos", re.compile(r"mac|os ?x|darwin|monterey|ventura|sonoma|sequoia|big ?sur|catalina|mojave", re.IGNORECASE)),
    (
        "linux",
        re.compile(
            r"linux|ubuntu|debian|centos|red ?hat|rhel|fedora|rocky|alma|suse|arch|mint|manjaro|pop|gentoo|nixos|kali|"
            r"raspbian|raspberry|jetpack|jetson|tegra|l4t|colab|kaggle|docker|sles|scientific|amazon|elementary|zorin|"
            r"oracle",
            re.IGNORECASE,
        ),
    ),
)
_MACHINES = (
    ("x86_64", re.compile(r"x86[-_ ]64|amd64|x64", re.IGNORECASE)),
    (
        "aarch64",
        re.compile(
            r"aarch64|arm64|armv8\w*|apple|\bm[1-5]\b|jetson|tegra|jetpack|l4t|graviton|raspberry", re.IGNORECASE
        ),
    ),
    ("x86_64", re.compile(r"64[- ]?bit|^64$|intel", re.IGNORECASE)),
)
_NARROW = re.compile(
    r"32[- ]?bit|i[36]86|\bx86\b(?![-_ ]?64)|win32|armv[67]\w*|armhf|raspbian|raspberry", re.IGNORECASE
)
"""32 bit; Raspbian is, and most of what runs on a Raspberry Pi."""
_WIDE = re.compile(r"64[- ]?bit|x86[-_ ]?64|x64|amd64|aarch64|arm64|armv8", re.IGNORECASE)
_PLATFORMS = {
    ("linux", "x86_64"): Platform.LINUX_X86_64,
    ("linux", "aarch64"): Platform.LINUX_AARCH64,
    ("macos", "aarch64"): Platform.MACOS_ARM64,
    ("macos", "x86_64"): Platform.MACOS_X86_64,
    ("windows", "x86_64"): Platform.WINDOWS_X86_64,
    ("wsl", "x86_64"): Platform.WSL,
}


def loads(text: str, name: str) -> Configuration:
    """Read a JSON document; every key may be missing or null.

    Args:
        text: content of the document.
        name: name of the file, for error messages.

    Raises:
        UsageError: the text is not a JSON object, or has faults; all of them, each with its path.
    """
    values = formats.json(text, name)
    if not isinstance(values, dict):
        raise UsageError(f"`{name}` is not a JSON object", hint='such as {"tf": "2.17.1", "gpu": "RTX 3090"}')
    table = Table(values)
    found = _read(table)
    table.close()
    table.refuse(name)
    return found


def _read(table: Table) -> Configuration:
    gpus = _gpus(table)
    system = table.get("os", document.text)
    machine = table.get("arch", document.text)
    if _NARROW.search(str(table.values.get("python", ""))) is not None:
        machine = "32 bit Python"
    platform, foreign = read_platform(system, machine)
    packages = table.table("packages")
    rows = tuple(
        (normalize(name), specifier)
        for name in packages.values
        if (specifier := packages.get(name, document.of(read_specifier))) is not None
    )
    cuda, cudnn, driver = (table.get(key, document.of(read_version)) for key in ("cuda", "cudnn", "driver"))
    words = [word for word in gpus if not _ANY_GPU.fullmatch(word)]
    named = tuple(word for word in words if word.lower() not in _NO_GPU)
    major = next((match[1] for word in gpus if (match := _CUDA.fullmatch(word))), None)
    capability = table.get("compute_capability", document.of(ComputeCapability.parse))
    wanted = bool(named or capability or cuda or cudnn or driver) or any(map(_ANY_GPU.fullmatch, gpus))
    refused = bool(gpus) and not named and not any(map(_ANY_GPU.fullmatch, gpus))
    return Configuration(
        machine=Machine(
            platform=platform,
            foreign=foreign,
            system=system,
            python=table.get("python", document.of(read_version)),
            gpus=named,
            driver=driver,
            glibc=table.get("glibc", document.of(read_version)),
            cpu=table.get("cpu_flags", _flags),
        ),
        tf=table.get("tf", document.of(read_tf)),
        cuda=cuda or (Version(major) if major else None),
        cudnn=cudnn,
        capability=capability,
        accelerated=False if refused else True if wanted else None,
        keras=table.get("keras", _keras),
        packages=rows,
    )


def _keras(value: object) -> int:
    if str(value) not in ("2", "3"):
        raise ValueError(f"`{value}` is neither 2 nor 3")
    return int(str(value))


def _gpus(table: Table) -> tuple[str, ...]:
    """The GPUs of a document: `gpu` is a name, several in one string, or a list; `gpus` is a list."""

    def names(value: object) -> tuple[str, ...]:
        texts = map(document.text, value) if isinstance(value, list) else (document.text(value),)
        return tuple(name for text in texts for name in read_gpus(text))

    return (*(table.get("gpu", names) or ()), *(table.get("gpus", names) or ()))


def read_gpus(text: str) -> tuple[str, ...]:
    """The GPUs in a text such as `2x RTX 3090` or `Intel UHD 630 + GeForce MX150`, without their counts."""
    found = []
    for part in re.split(r"\s*(?:,|;|\+|&|\n|(?<!\d )\band\b)\s*", text):
        if _NO_NAME.fullmatch(part.strip()) is not None and not part.strip().isdigit():
            continue
        name = match[1] if (match := _BRACKETED.search(part)) is not None else part
        while (bare := _ASIDE.sub("", name).strip()) != name:
            name = bare
        if _NO_NAME.fullmatch(name) is None or (name.isdigit() and len(name) > 2):
            found.append(name)
    return tuple(dict.fromkeys(found)) or (text,)


def _flags(value: object) -> frozenset[str]:
    if isinstance(value, str):
        return frozenset(word.lower() for word in re.split(r"[\s,]+", value) if word)
    return frozenset(document.text(each).lower() for each in document.array(value))


def read_tf(text: str) -> str:
    """A version or a specifier; TensorFlow's own `v2.10.0-rc3-6-g359c3cdfc5f 2.10.0` means the second word.

    Raises:
        ValueError: the text is neither.
    """
    words = text.split()
    if len(words) == 2 and words[0].startswith("v"):
        text = words[1]
    text = text.strip().removeprefix("v")
    try:
        Version(text)
    except ValueError:
        try:
            SpecifierSet(text)
        except InvalidSpecifier:
            raise ValueError(f"is `{text}`, neither a version nor a specifier") from None
    return text


def read_version(text: str) -> Version:
    """The first version in a text (`v11.2`, `525.60.13`, `3.10.4 (main, …)`).

    Raises:
        ValueError: the text contains no version.
    """
    match = _NUMBER.match(text.strip()) or re.search(r"(\d+(?:\.\d+)+)", text)
    if match is None:
        raise ValueError(f"is `{text}`, not a version")
    return Version(match[1])


def read_specifier(text: str) -> SpecifierSet:
    """The specifier of a package; a plain version means exactly that version.

    Raises:
        ValueError: it is neither a version nor a specifier.
    """
    try:
        return SpecifierSet(f"=={Version(text)}")
    except ValueError:
        try:
            return SpecifierSet(text)
        except InvalidSpecifier:
            raise ValueError(f"is `{text}`, neither a version nor a specifier") from None


def read_platform(system: str | None, machine: str | None) -> tuple[Platform | None, str | None]:
    """The platform that a text names; if TensorFlow has no wheels for it, the text itself as the second value.

    Args:
        system: operating system: `linux`, `Ubuntu 20.04`, `Windows 10`, `wsl`, or a platform of tfenv (`macos-arm64`).
        machine: processor, such as `x86_64` or `arm64`; by default x86-64, or the only processor of the system.
    """
    if system is None and machine is None:
        return None, None
    text = " ".join(filter(None, (system, machine)))
    if system is not None and system.lower() in {each.value for each in Platform}:
        return Platform(system.lower()), None
    kind = next((name for name, words in _SYSTEMS if words.search(system)), None) if system else "linux"
    words = machine or system or ""
    if _NARROW.search(text) is not None and _WIDE.search(text) is None:
        return None, text
    processor = next((name for name, pattern in _MACHINES if pattern.search(words)), None)
    if processor is None and machine is None:
        processor = "x86_64"
    elif kind == "macos" and words.lower() == "arm":
        processor = "aarch64"
    platform = _PLATFORMS.get((kind or "", processor or ""))
    return platform, None if platform is not None else text


def merge(first: Configuration, second: Configuration) -> Configuration:
    """The union of two configurations; where both have a value, the first counts, and lists of packages add up."""
    values = {
        field.name: getattr(second, field.name)
        for field in fields(Configuration)
        if getattr(first, field.name) in (None, ()) and field.name not in ("machine", "packages")
    }
    known: Mapping[Name, SpecifierSet] = {**dict(second.packages), **dict(first.packages)}
    accelerated = first.accelerated if first.accelerated is not None else second.accelerated
    values |= {"complete": first.complete or second.complete, "observed": first.observed or second.observed}
    machine = _merged(first.machine, second.machine)
    return replace(
        first, **{**values, "machine": machine, "packages": tuple(known.items()), "accelerated": accelerated}
    )


def _merged(first: Machine, second: Machine) -> Machine:
    """The union of two machines; platform and system belong together and come from the same one."""
    place = ("platform", "foreign", "system")
    values = {
        field.name: getattr(second, field.name)
        for field in fields(Machine)
        if getattr(first, field.name) in (None, ()) and field.name not in place
    }
    if first.platform is None and first.foreign is None:
        values |= {name: getattr(second, name) for name in place}
    return replace(first, **values)


class Known(TypedDict, total=False):
    """Known facts about an environment and its machine, in words; whatever is missing or ``None`` is unknown.

    Attributes:
        tf: TensorFlow, such as `2.17.1`, `2.17` or `>=2.15,<2.18`.
        gpus: names of GPUs or compute capabilities, all of which must work; `none` for the CPU.
        driver: NVIDIA driver, such as `535.104.05`.
        python: version of Python, `X.Y` or `X.Y.Z`.
        platform: platform, such as `linux-x86_64`.
        glibc: version of glibc, such as `2.31`.
        cpu: instruction sets, such as `avx,avx2`.
        cuda: CUDA whose libraries are installed, `X.Y`.
        cudnn: cuDNN that is installed, `X.Y`.
        keras: major release of Keras behind `tf.keras`, 2 or 3.
        packages: installed packages, such as `numpy==1.26.4`.
    """

    tf: str | None
    gpus: Iterable[str] | str
    driver: str | None
    python: str | None
    platform: str | None
    glibc: str | None
    cpu: str | None
    cuda: str | None
    cudnn: str | None
    keras: int | None
    packages: Iterable[str] | str


_KEYS = {"gpus": "gpu", "platform": "os", "cpu": "cpu_flags"}
"""Keys of the JSON document that differ from those of `Known`."""


def of_options(**known: Unpack[Known]) -> Configuration:
    """The configuration that the options of `check` describe, in the same words as the JSON document.

    Raises:
        UsageError: values that cannot be understood, and names that `Known` does not have; all of them.
    """
    gpus, packages = known.get("gpus", ()), known.pop("packages", ())
    values: dict[str, object] = {_KEYS.get(name, name): value for name, value in known.items()}
    values["gpu"] = [gpus] if isinstance(gpus, str) else list(gpus) or None
    table = Table(values)
    found = _read(table)
    rows = []
    wanted = False
    for number, text in enumerate((packages,) if isinstance(packages, str) else packages):
        try:
            requirement = PackagingRequirement(text)
        except (InvalidRequirement, RecursionError) as error:
            table.fault(f"package[{number}]", f"`{text}` is not a requirement: {str(error).splitlines()[0]}")
        else:
            rows.append((normalize(requirement.name), requirement.specifier))
            wanted |= asks_for_gpu(requirement.name, requirement.extras)
    table.close()
    table.refuse("the options")
    accelerated = True if wanted and found.accelerated is None else found.accelerated
    return replace(found, packages=tuple(rows), accelerated=accelerated)

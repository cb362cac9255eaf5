"""What the NVIDIA container runtime, NVIDIA's images, CUDA and ROCm print about drivers and GPUs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from packaging.version import Version

from tfenv.facts.rocm import is_kin, override
from tfenv.model.evidence import Symptom

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tfenv.facts.database import Database

_WANTS = re.compile(r"unsatisfied condition: (?P<what>cuda|driver)\s?>=?\s?(?P<version>\d{1,3}(?:\.\d{1,3}){0,2})")
_BRAND = re.compile(r"unsatisfied condition: brand")
_REQUIRE = re.compile(r"(?:--require=|NVIDIA_REQUIRE_CUDA=)[\"']?cuda>=(?P<version>\d{1,2}\.\d)")
_IMAGE = re.compile(
    r"built for NVIDIA Driver Release (?P<wants>\d{3}(?:\.\d{1,3}){0,2}) or later, but\s{1,40}"
    r"version (?P<has>\d{3}(?:\.\d{1,3}){0,2}) was detected"
)
_PTX = re.compile(r"Unsupported \.version (?P<wants>\d{1,2}\.\d); current version is '(?P<has>\d{1,2}\.\d)'")
_NO_GPU = re.compile(
    r"(?:list_(?:physical|logical)_devices\(['\"]GPU['\"]\)[^\n]{0,80}(?:\n[^\n]{0,200}){0,2}?\n?\W{0,4}\[\]"
    r"|Num GPUs(?: Available)?:?\s{0,4}0\b)"
)
_REASON = re.compile(
    r"dlerror|[Cc]ould not (?:load|find|open)|Cannot dlopen|cuInit|cudart|insufficient|Ignoring visible"
)
_GFX = re.compile(
    r"Ignoring visible gpu device \((?:[^)\n]{0,200}name: (?P<gpu>[^,)\n]{1,80}))?[^)\n]{0,200}\)"
    r" with AMDGPU version ?: (?P<gfx>gfx\w{3,6})\. The supported AMDGPU versions are (?P<known>[\w, ]{1,400})"
)


def symptoms(text: str, database: Database) -> Iterator[Symptom]:
    """Messages that name the driver that is wanted, or the GPU that is not served."""
    for wants in _WANTS.finditer(text):
        wanted = Version(wants["version"])
        driver = wanted if wants["what"] == "driver" else _of_cuda(wanted, database)
        if driver is not None:
            yield _too_old(f"the image asks for {wants['what']} {wanted}", driver, _line(text, wants))
    brand = _BRAND.search(text)
    if brand is not None:
        yield _of_brand(text, _line(text, brand), database)
    for match in _IMAGE.finditer(text):
        yield _too_old(
            f"the image is built for driver {match['wants']} or newer, and the host has {match['has']}",
            Version(match["wants"]),
            _line(text, match),
        )
    for match in _PTX.finditer(text):
        cuda = _cuda_of_ptx(match["wants"])
        driver = None if cuda is None else _of_cuda(cuda, database)
        if driver is not None:
            cause = f"PTX {match['wants']} was made by CUDA {cuda}, and this compiler knows PTX {match['has']} at most"
            yield _too_old(cause, driver, _line(text, match))
    listed = _NO_GPU.search(text)
    if listed is not None and _REASON.search(text) is None:
        yield _without_cuda(_line(text, listed))
    for match in _GFX.finditer(text):
        yield _not_in_build(match, _line(text, match))


def _of_brand(text: str, line: str, database: Database) -> Symptom:
    """The last alternative that failed: older drivers serve some brands of GPU, and newer ones serve all."""
    require = _REQUIRE.search(text)
    wanted = None if require is None else Version(require["version"])
    driver = None if wanted is None else _of_cuda(wanted, database)
    if driver is not None:
        return _too_old(f"the image asks for CUDA {wanted}, or for a data centre GPU", driver, line)
    return Symptom(
        code="driver-too-old",
        subject="driver",
        cause="the image asks for a newer driver, or for a data centre GPU",
        line=line,
        advice="upgrade the NVIDIA driver of the host, or take an image of an older CUDA",
    )


def _of_cuda(version: Version, database: Database) -> Version | None:
    """The lowest Linux driver that comes with a toolkit; the container runtime compares with the driver's own CUDA."""
    toolkit = database.cuda.toolkit(Version(f"{version.major}.{version.minor}"))
    return None if toolkit is None else toolkit.driver_linux


def _cuda_of_ptx(text: str) -> Version | None:
    """The toolkit that introduced a version of PTX: PTX 7.x came with CUDA 11.x, 8.0 to 8.5 with 12.0 to 12.5."""
    version = Version(text)
    if version.major == 7 or (version.major == 8 and version.minor <= 5):
        return Version(f"{version.major + 4}.{version.minor}")
    return None


def _too_old(cause: str, driver: Version, line: str) -> Symptom:
    return Symptom(
        code="driver-too-old",
        subject="driver",
        cause=f"{cause}: that is driver {driver} or newer",
        line=line,
        sources=("constraints/facts/cuda.toml",),
        driver=driver,
    )


def _without_cuda(line: str) -> Symptom:
    """No GPU, and no library missing: a build with CUDA prints what it does not find, one without looks for nothing."""
    return Symptom(
        code="platform-no-gpu",
        subject="tensorflow",
        cause="TensorFlow lists no GPU and misses no library: the installed build has no CUDA in it",
        line=line,
        general=True,
        advice="on Linux x86_64 `pip install 'tensorflow[and-cuda]'`; on native Windows tensorflow 2.10 is the last "
        "with CUDA, newer ones run in WSL; on aarch64 take NVIDIA's container nvcr.io/nvidia/tensorflow",
    )


def _not_in_build(match: re.Match[str], line: str) -> Symptom:
    """An AMD GPU without code in the build; the nearest GPU of its generation can be pretended."""
    gfx = match["gfx"]
    known = match["known"].replace(" ", "").split(",")  # two names without a comma between them are no name
    kin = sorted({name for name in known if is_kin(name, gfx)})
    return Symptom(
        code="gpu-too-new",
        subject=match["gpu"] or gfx,
        cause=f"the build accepts {', '.join(sorted(set(known)))}, and not {gfx}",
        line=line,
        advice=f"export {override(kin[0])}   # runs the code of {kin[0]}, which is of the same generation"
        if kin
        else f"install a newer build of TensorFlow for ROCm, one that has code for {gfx}",
    )


def _line(text: str, match: re.Match[str]) -> str:
    end = text.find("\n", match.end())
    return " ".join(text[text.rfind("\n", 0, match.start()) + 1 : end if end >= 0 else None].split())

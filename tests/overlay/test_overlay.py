"""The facts laid over an index in memory; the database is the real one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from tests.support.locks import architectures
from tests.support.memory import MemorySource, file_of
from tfenv.facts.database import load
from tfenv.facts.releases import ReleaseFacts, WheelFacts
from tfenv.model.builds import Build
from tfenv.model.goal import Goal
from tfenv.model.hardware import ComputeCapability, Gpu
from tfenv.model.package import File, Name, Release
from tfenv.model.target import Accelerator, Platform, Target
from tfenv.overlay.overlay import FactsOverlay
from tfenv.resolver import Conflict, Resolution, resolve

DATABASE = load()
PYTHONS = tuple(map(Version, ("3.13.9", "3.12.12", "3.10.19", "3.7.17")))
CUDA = Target(accelerator=Accelerator.CUDA)
V100 = Gpu(name="V100", capability=ComputeCapability(7, 0))
H100 = Gpu(name="H100", capability=ComputeCapability(9, 0))

TF_217: dict[str, Any] = {
    "file": "tensorflow-2.17.1-cp312-cp312-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
    "requires": ["numpy", "nvidia-cudnn-cu12; extra == 'and-cuda'", "nvidia-cuda-runtime-cu12; extra == 'and-cuda'"],
    "extras": ["and-cuda"],
}
STACK = [
    {"file": "numpy-2.3.0-py3-none-any.whl"},
    {"file": "numpy-1.26.4-py3-none-any.whl"},
    {"file": "nvidia_cuda_runtime_cu12-12.3.101-py3-none-manylinux1_x86_64.whl"},
    {"file": "nvidia_cudnn_cu12-9.10.2.21-py3-none-manylinux_2_27_x86_64.whl"},
    {"file": "nvidia_cudnn_cu12-8.9.7.29-py3-none-manylinux1_x86_64.whl"},
]


def overlay(rows: list[dict[str, Any]], target: Target, harvest: Any = None) -> FactsOverlay:
    source = MemorySource(rows)
    return (
        FactsOverlay(source, DATABASE, target, harvest=harvest) if harvest else FactsOverlay(source, DATABASE, target)
    )


def locked(facts: FactsOverlay, target: Target, tensorflow: str = "") -> Resolution:
    request = Goal(tensorflow=SpecifierSet(tensorflow), target=target)
    return resolve(request, facts, pythons=PYTHONS)


def pins(resolution: Resolution) -> dict[str, str]:
    return {name: str(pin.version) for name, pin in resolution.pins.items()}


def test_cuda_target_gets_the_extra_and_what_it_needs() -> None:
    """The CUDA wheels come with the extra; cuDNN has the major of the build; the machine is asked for a driver."""
    facts = overlay([TF_217, *STACK], CUDA)
    found = locked(facts, CUDA)
    assert pins(found) == {
        "numpy": "1.26.4",
        "nvidia-cuda-runtime-cu12": "12.3.101",
        "nvidia-cudnn-cu12": "8.9.7.29",
        "tensorflow": "2.17.1",
    }
    assert found.pins[Name("tensorflow")].dependencies == ("numpy", "nvidia-cuda-runtime-cu12", "nvidia-cudnn-cu12")
    needs = {str(need.requirement) for need in found.needs}
    assert {"__driver>=525.60.13", "__cuda==12", "__cpu[avx]"} <= needs
    assert all(need.requirement.because and need.requirement.source for need in found.needs)


def test_target_without_cuda_gets_tensorflow_cpu() -> None:
    """`tensorflow-cpu` stands in where it has a wheel for the Python; it is what is installed and asked for."""
    cpu = {"file": TF_217["file"].replace("tensorflow", "tensorflow_cpu"), "requires": ["numpy"]}
    found = locked(overlay([TF_217, cpu, *STACK], Target()), Target())
    assert pins(found) == {"numpy": "1.26.4", "tensorflow-cpu": "2.17.1"}
    assert found.pins[Name("tensorflow-cpu")].direct
    assert [str(need.requirement) for need in found.needs] == ["__cpu[avx]", "__glibc>=2.17"]


@pytest.mark.parametrize(
    "other",
    [
        "tensorflow_cpu-2.17.1-cp310-cp310-manylinux_2_17_x86_64.whl",
        "tensorflow_cpu-2.17.1-cp312-cp312-win_amd64.whl",
        "tensorflow_cpu-2.16.2-cp312-cp312-manylinux_2_17_x86_64.whl",
    ],
)
def test_no_stand_in_for_another_wheel(other: str) -> None:
    """Another Python, platform or release of `tensorflow-cpu` is no stand-in."""
    found = locked(overlay([TF_217, {"file": other}, *STACK], Target()), Target())
    assert pins(found) == {"numpy": "1.26.4", "tensorflow": "2.17.1"}


def test_tensorflow_gpu_where_it_alone_has_cuda() -> None:
    """1.14 was built with CUDA as `tensorflow-gpu` only; 1.15 as `tensorflow` too."""
    wheels = [f"{name}-1.{minor}.0-cp37-cp37m-manylinux1_x86_64.whl" for name in ("tensorflow", "tensorflow_gpu")
              for minor in (14, 15)]  # fmt: skip
    rows = [{"file": wheel} for wheel in wheels]
    rows += [{"file": "protobuf-3.20.3-py3-none-any.whl"}, {"file": "h5py-2.10.0-py3-none-any.whl"}, *STACK]
    rows.append({"file": "gast-0.2.2-py3-none-any.whl"})
    assert "tensorflow-gpu" in pins(locked(overlay(rows, CUDA), CUDA, "==1.14.*"))
    assert "tensorflow" in pins(locked(overlay(rows, CUDA), CUDA, "==1.15.*"))


def test_cudnn_is_held_back_for_an_old_gpu() -> None:
    """A V100 gets the newest cuDNN that has code for it, and a note says so."""
    rows: list[dict[str, Any]] = [
        {
            "file": "tensorflow-2.21.0-cp313-cp313-manylinux_2_27_x86_64.whl",
            "requires": ["nvidia-cudnn-cu12<10; extra == 'and-cuda'"],
            "extras": ["and-cuda"],
        },
        {"file": "nvidia_cudnn_cu12-9.28.0.42-py3-none-any.whl"},
        *STACK,
    ]
    target = replace(CUDA, gpus=(V100,))
    found = locked(overlay(rows, target), target)
    assert pins(found)["nvidia-cudnn-cu12"] == "9.10.2.21"
    (note,) = found.notes
    assert note.startswith("nvidia-cudnn-cu12 held at 9.10.2.21: cuDNN 9.28.0.42 has code for 7.5")


def test_metadata_of_the_same_file_comes_from_the_database() -> None:
    """A TensorFlow wheel whose hash the database knows is not asked of the index, neither now nor ahead."""
    row = DATABASE.releases.release(Name("tensorflow"), Version("2.17.1"))
    assert row is not None
    wheel = row.wheel(TF_217["file"])
    assert wheel is not None
    source = MemorySource([TF_217])
    facts = FactsOverlay(source, DATABASE, CUDA)
    file = replace(file_of(wheel.filename), sha256=wheel.sha256)
    facts.expect([file, Name("numpy")])
    metadata = facts.metadata(file)
    assert source.expected == ["numpy"]
    assert source.read == []
    assert metadata.extras == {"and-cuda"}
    assert metadata.requires_python == SpecifierSet(">=3.9")
    assert any(str(requirement).startswith("nvidia-cudnn-cu12==8.9.7.29") for requirement in metadata.requires)


def test_expectations_are_passed_on() -> None:
    """The index hears early of what will be asked, the distribution that may stand in included."""
    source = MemorySource([TF_217])
    facts = FactsOverlay(source, DATABASE, Target())
    unknown = file_of("tensorflow-2.99.0-cp313-cp313-manylinux_2_27_x86_64.whl")
    facts.expect([Name("tensorflow"), unknown])
    assert source.expected == ["tensorflow", "tensorflow-cpu", unknown]


NEW: dict[str, Any] = {"file": "tensorflow-2.99.0-cp313-cp313-manylinux_2_27_x86_64.whl"}


def harvested(release: Release, file: File) -> ReleaseFacts:
    build = Build(
        platform=Platform.LINUX_X86_64,
        cuda=Version("12.5"),
        sass=architectures("8.0"),
        ptx=architectures("8.0"),
        source=file.filename,
    )
    wheel = WheelFacts(filename=file.filename, sha256=file.sha256 or "", size=None)
    return ReleaseFacts(name=release.name, version=release.version, uploaded=None, wheels=(wheel,), builds=(build,))


def test_release_that_the_database_lacks_is_harvested() -> None:
    """Its wheel is read once, its rules hold, and that is said, with what will be slow."""
    asked: list[str] = []

    def harvest(release: Release, file: File) -> ReleaseFacts:
        asked.append(file.filename)
        return harvested(release, file)

    target = replace(CUDA, gpus=(H100,))
    facts = overlay([NEW], target, harvest)
    found = locked(facts, target)
    assert asked == [NEW["file"]]
    assert "__driver>=555.42.2" in {str(need.requirement) for need in found.needs}
    assert facts.warnings([(Name("tensorflow"), Version("2.99.0"))]) == (
        "tensorflow 2.99.0 is not in the database: its facts were read off its wheel while locking",
        "tensorflow 2.99.0 has no machine code for H100 (9.0): the driver compiles its PTX on first use, for minutes",
    )


def test_release_of_which_nothing_can_be_known() -> None:
    """A new release that cannot be read is taken, and the gap is named."""
    facts = overlay([NEW], CUDA)
    assert pins(locked(facts, CUDA)) == {"tensorflow": "2.99.0"}
    assert facts.build(Name("tensorflow"), Version("2.99.0")) is None
    assert facts.warnings([(Name("tensorflow"), Version("2.99.0"))]) == (
        "nothing is known of the build of tensorflow 2.99.0 for linux-x86_64",
    )


def test_release_older_than_the_facts_is_no_answer_to_a_wish_for_cuda() -> None:
    """It might silently run on the CPU; without CUDA it may be had."""
    rows: list[dict[str, Any]] = [{"file": "tensorflow-1.3.0-cp37-cp37m-manylinux1_x86_64.whl"}]
    with pytest.raises(Conflict, match="__known_bad"):
        locked(overlay(rows, CUDA), CUDA)
    assert pins(locked(overlay(rows, Target()), Target())) == {"tensorflow": "1.3.0"}


def test_a_harvested_release_from_before_all_tells_no_more() -> None:
    """Wheels before 1.4 say nothing of CUDA: reading one does not make it an answer to a wish for CUDA."""
    rows: list[dict[str, Any]] = [{"file": "tensorflow-1.3.0-cp37-cp37m-manylinux1_x86_64.whl"}]
    wheel = WheelFacts(filename=rows[0]["file"], size=1, sha256="0" * 64, requires_dist=())
    read = ReleaseFacts(name=Name("tensorflow"), version=Version("1.3.0"), uploaded=None, wheels=(wheel,))
    with pytest.raises(Conflict):
        locked(overlay(rows, CUDA, lambda _release, _file: read), CUDA)


def test_cuda_on_windows() -> None:
    """The wheels for Windows were looked into too: 2.10 asks for a driver of Windows, and gets no wheels of CUDA."""
    target = replace(CUDA, platform=Platform.WINDOWS_X86_64)
    facts = overlay([{"file": "tensorflow-2.10.1-cp310-cp310-win_amd64.whl"}, *STACK], target)
    found = locked(facts, target)
    assert {"__cpu[avx]", "__cuda==11", "__driver>=452.39"} <= {str(need.requirement) for need in found.needs}
    assert [name for name in found.pins if name.startswith("nvidia")] == []
    build = facts.build(Name("tensorflow"), Version("2.10.1"))
    assert build is not None
    assert (str(build.cuda), str(build.cudnn)) == ("11.2", "8")


def row_of(filename: str, *requires: str) -> dict[str, Any]:
    return {"file": filename, "requires": list(requires)}


AMD = [
    row_of("tensorflow-2.21.0-cp310-cp310-manylinux_2_27_x86_64.whl"),
    row_of("tensorflow_rocm-2.10.1.550-cp310-cp310-manylinux2014_x86_64.whl", "numpy"),
    row_of("tensorflow_rocm-2.10.0.530-cp310-cp310-manylinux2014_x86_64.whl", "numpy"),
    row_of("tensorflow_rocm-2.10.0.520-cp310-cp310-manylinux2014_x86_64.whl", "numpy"),
    row_of("tensorflow_rocm-2.3.0-cp310-cp310-manylinux2014_x86_64.whl", "numpy"),
    *STACK,
]


@pytest.mark.parametrize(
    ("rocm", "tensorflow", "version", "series"),
    [
        (None, "", "2.10.1.550", "5.5"),
        (None, "==2.10.0", "2.10.0.530", "5.3"),
        ("5.2", "", "2.10.0.520", "5.2"),
        ("5.2.3", "", "2.10.0.520", "5.2"),
        ("5", "==2.10.0", "2.10.0.530", "5.3"),
    ],
)
def test_tensorflow_for_amd(rocm: str | None, tensorflow: str, version: str, series: str) -> None:
    """The releases are those of `tensorflow-rocm`, known by the TensorFlow in them; each asks for its ROCm."""
    target = Target(accelerator=Accelerator.ROCM, rocm=None if rocm is None else Version(rocm))
    found = locked(overlay(AMD, target), target, tensorflow)
    assert pins(found) == {"numpy": "1.26.4", "tensorflow-rocm": version}
    assert f"__rocm=={series}" in {str(need.requirement) for need in found.needs}
    assert found.pins[Name("tensorflow-rocm")].direct


@pytest.mark.parametrize(
    ("rocm", "tensorflow"), [("6", ""), ("5.2", "==2.10.1"), (None, "==2.21.0"), (None, "==2.3.0")]
)
def test_no_tensorflow_for_amd(rocm: str | None, tensorflow: str) -> None:
    """Another ROCm, a release that was never built for AMD, and one whose ROCm nobody knows are refused."""
    target = Target(accelerator=Accelerator.ROCM, rocm=None if rocm is None else Version(rocm))
    with pytest.raises(Conflict):
        locked(overlay(AMD, target), target, tensorflow)


def test_tensorflow_for_tpus() -> None:
    """The releases are those of `tensorflow-tpu`, which asks for its `libtpu` itself."""
    rows = [
        row_of("tensorflow-2.21.0-cp310-cp310-manylinux_2_27_x86_64.whl"),
        row_of("tensorflow_tpu-2.20.0-cp310-cp310-manylinux_2_17_x86_64.whl", "libtpu~=0.0.14"),
        row_of("libtpu-0.0.17-py3-none-manylinux_2_31_x86_64.whl"),
    ]
    target = Target(accelerator=Accelerator.TPU)
    assert pins(locked(overlay(rows, target), target)) == {"libtpu": "0.0.17", "tensorflow-tpu": "2.20.0"}


MAC = [
    row_of("tensorflow-2.21.0-cp310-cp310-macosx_12_0_arm64.whl"),
    row_of("tensorflow-2.19.1-cp310-cp310-macosx_12_0_arm64.whl"),
    row_of("tensorflow-2.9.3-cp310-cp310-macosx_10_14_x86_64.whl"),
    row_of("tensorflow_macos-2.9.2-cp310-cp310-macosx_11_0_arm64.whl", "protobuf>=3.9.2"),
    row_of("tensorflow_macos-2.19.1-cp310-cp310-macosx_12_0_arm64.whl", "tensorflow==2.19.1"),
    row_of("protobuf-4.25.0-py3-none-any.whl"),
    row_of("protobuf-3.20.3-py3-none-any.whl"),
    row_of("tensorflow_metal-1.2.0-cp310-cp310-macosx_12_0_arm64.whl"),
    row_of("tensorflow_metal-0.5.1-cp310-cp310-macosx_12_0_arm64.whl"),
    *STACK,
]


@pytest.mark.parametrize(
    ("accelerator", "tensorflow", "expected"),
    [
        (Accelerator.NONE, "", {"tensorflow": "2.21.0"}),
        (Accelerator.METAL, "", {"tensorflow": "2.19.1", "tensorflow-metal": "1.2.0"}),
        (Accelerator.NONE, "==2.9.*", {"tensorflow-macos": "2.9.2"}),
        (Accelerator.METAL, "==2.9.*", {"tensorflow-macos": "2.9.2", "tensorflow-metal": "0.5.1"}),
    ],
)
def test_tensorflow_on_a_mac(accelerator: Accelerator, tensorflow: str, expected: dict[str, str]) -> None:
    """`tensorflow-macos` has what `tensorflow` has no wheels of, and is repaired alike; the plugin is its pair."""
    target = Target(platform=Platform.MACOS_ARM64, accelerator=accelerator)
    found = pins(locked(overlay(MAC, target), target, tensorflow))
    assert {name: version for name, version in found.items() if name.startswith("tensorflow")} == expected
    assert found.get("protobuf") == ("3.20.3" if tensorflow else None)


def test_directml_is_for_one_release() -> None:
    """The plugin takes `tensorflow-cpu` 2.10.0, also where an older release of it would take a newer one."""
    rows = [
        *(
            row_of(f"tensorflow{cpu}-2.10.{patch}-cp310-cp310-win_amd64.whl")
            for cpu in ("", "_cpu")
            for patch in (0, 1)
        ),
        row_of("tensorflow_directml_plugin-0.4.0.dev230202-cp310-cp310-win_amd64.whl", "tensorflow-cpu==2.10.0"),
        row_of("tensorflow_directml_plugin-0.2.0.dev221020-cp310-cp310-win_amd64.whl", "tensorflow-cpu>=2.10.0"),
        *STACK,
    ]
    target = Target(platform=Platform.WINDOWS_X86_64, accelerator=Accelerator.DIRECTML)
    found = pins(locked(overlay(rows, target), target))
    assert (found["tensorflow-cpu"], found["tensorflow-directml-plugin"]) == ("2.10.0", "0.4.0.dev230202")


def test_build_of_a_distribution_that_points_to_another() -> None:
    """On aarch64, `tensorflow` 2.14 is but a pointer to `tensorflow-cpu-aws`, whose build is the one that counts."""
    build = overlay([], Target(platform=Platform.LINUX_AARCH64)).build(Name("tensorflow"), Version("2.14.0"))
    assert build is not None
    assert build.source.startswith("tensorflow_cpu_aws-2.14.0")


@pytest.mark.parametrize("version", ["2.14.0", "2.21.0"])
def test_aarch64_has_no_cuda(version: str) -> None:
    """Neither where the wheel holds TensorFlow, nor where it only points to another distribution."""
    target = replace(CUDA, platform=Platform.LINUX_AARCH64)
    rows: list[dict[str, Any]] = [
        {"file": f"tensorflow-{version}-cp310-cp310-manylinux_2_27_aarch64.whl", "extras": ["and-cuda"]}
    ]
    with pytest.raises(Conflict, match="__cuda==0"):
        locked(overlay(rows, target), target)


def test_unknown_cudnn_is_said() -> None:
    """A cuDNN newer than the facts may be taken; for which GPUs it has code is not known."""
    facts = overlay([], CUDA)
    assert facts.warnings([(Name("nvidia-cudnn-cu12"), Version("99.0"))]) == (
        "nvidia-cudnn-cu12 99.0 is not in the database: for which GPUs it holds code is not known",
    )


def test_gap_in_a_build_is_said() -> None:
    """A field that nothing tells is named."""

    def harvest(release: Release, file: File) -> ReleaseFacts:
        facts = harvested(release, file)
        return replace(facts, builds=tuple(replace(build, unknown=("cudnn",)) for build in facts.builds))

    facts = overlay([NEW], CUDA, harvest)
    locked(facts, CUDA)
    assert "nothing tells cudnn of tensorflow 2.99.0 for linux-x86_64" in facts.warnings(
        [(Name("tensorflow"), Version("2.99.0"))]
    )


def test_source_distribution_requires_what_builds_it() -> None:
    """`setuptools` and `wheel` are locked with it, but not for themselves."""
    facts = overlay([{"file": "gast-0.2.2.tar.gz"}, {"file": "wheel-0.1.tar.gz"}], Target())

    def required(filename: str) -> list[str]:
        return [str(requirement) for requirement in facts.metadata(file_of(filename)).requires]

    assert required("gast-0.2.2.tar.gz") == ["setuptools", "wheel"]
    assert required("wheel-0.1.tar.gz") == ["setuptools"]


def test_other_packages_are_left_alone() -> None:
    """No fact, no change."""
    facts = overlay([{"file": "numpy-2.0-py3-none-any.whl", "requires": ["a"]}], CUDA)
    assert [str(each) for each in facts.metadata(file_of("numpy-2.0-py3-none-any.whl")).requires] == ["a"]
    assert facts.demands(Name("numpy"), Version("2.0")) == ()
    assert facts.demands(Name("nvidia-cuda-runtime-cu12"), Version("99.0")) == ()


def test_a_gpu_that_a_part_of_the_kernels_does_not_serve() -> None:
    """A build is forbidden on a GPU for which some of its kernels have neither machine code nor PTX."""
    name, version = Name("tensorflow"), Version("2.20.0")
    blackwell = Gpu(name="GeForce RTX 5090", capability=ComputeCapability(12, 0))
    hopper = Gpu(name="H100", capability=ComputeCapability(9, 0))
    for gpu, forbidden in ((blackwell, True), (hopper, False)):
        demands = overlay([], replace(CUDA, gpus=(gpu,))).demands(name, version)
        capability = Version(str(gpu.capability))
        asked = [one.requirement for one in demands if one.requirement.name == "__compute_capability"]
        assert any(not one.allows(capability) for one in asked) == forbidden

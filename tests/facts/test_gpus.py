"""Names of GPUs: every spelling seen in the wild, and what cannot be told from a name alone."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tfenv.errors import UsageError
from tfenv.facts.gpus import GpuTable
from tfenv.facts.spelling import normalized
from tfenv.model.hardware import ComputeCapability
from tfenv.model.target import Platform

FILE = Path(__file__).parents[2] / "constraints" / "facts" / "gpus.toml"


@pytest.fixture(scope="module", name="gpus")
def table() -> GpuTable:
    return GpuTable(FILE)


# as nvidia-smi, NVML, CUDA, OpenGL, cloud consoles and people write them
SPELLINGS = {
    "NVIDIA A100-SXM4-40GB": ("A100", "8.0"),
    "NVIDIA A100-SXM4-80GB": ("A100", "8.0"),
    "NVIDIA A100-PCIE-40GB": ("A100", "8.0"),
    "NVIDIA A100 80GB PCIe": ("A100", "8.0"),
    "A100-SXM4-40GB": ("A100", "8.0"),
    "a100_80gb": ("A100", "8.0"),
    "NVIDIA A100-SXM4-40GB MIG 1g.5gb": ("A100", "8.0"),
    "NVIDIA H100 80GB HBM3 MIG 1c.3g.40gb+me": ("H100", "9.0"),
    "NVIDIA A30": ("A30", "8.0"),
    "NVIDIA A800 80GB PCIe LC": ("A800", "8.0"),
    "NVIDIA A10G": ("A10G", "8.6"),
    "NVIDIA A10": ("A10", "8.6"),
    "NVIDIA A40-48Q": ("A40", "8.6"),
    "NVIDIA A16": ("A16", "8.6"),
    "NVIDIA A2": ("A2", "8.6"),
    "GRID A100X-1-5CME": ("A100X", "8.0"),
    "Tesla K80": ("K80", "3.7"),
    "Tesla K40m": ("K40", "3.5"),
    "GRID K520": ("GRID K520", "3.0"),
    "Tesla M60": ("M60", "5.2"),
    "Tesla P100-PCIE-16GB": ("P100", "6.0"),
    "Tesla P100-SXM2-16GB": ("P100", "6.0"),
    "p100": ("P100", "6.0"),
    "Tesla P4": ("P4", "6.1"),
    "Tesla P40": ("P40", "6.1"),
    "p4000": ("Quadro P4000", "6.1"),
    "Tesla V100-SXM2-16GB": ("V100", "7.0"),
    "Tesla V100-SXM3-32GB-H": ("V100", "7.0"),
    "Tesla V100S-PCIE-32GB": ("V100S", "7.0"),
    "GRID V100D-8Q": ("V100", "7.0"),
    "v100": ("V100", "7.0"),
    "Tesla T4": ("T4", "7.5"),
    "GRID T4-1B4": ("T4", "7.5"),
    "NVIDIA T4G": ("T4G", "7.5"),
    "NVIDIA L4": ("L4", "8.9"),
    "NVIDIA L40S": ("L40S", "8.9"),
    "NVIDIA H100 80GB HBM3": ("H100", "9.0"),
    "NVIDIA H100 PCIe": ("H100", "9.0"),
    "NVIDIA H100 NVL": ("H100", "9.0"),
    "H100-SXM5-80GB": ("H100", "9.0"),
    "NVIDIA H200 NVL": ("H200", "9.0"),
    "NVIDIA H20-3e": ("H20-3e", "9.0"),
    "NVIDIA GH200 480GB": ("GH200", "9.0"),
    "NVIDIA GH200 144G HBM3e": ("GH200", "9.0"),
    "NVIDIA B200": ("B200", "10.0"),
    "NVIDIA GB200": ("GB200", "10.0"),
    "NVIDIA B300 SXM6 AC": ("B300", "10.3"),
    "NVIDIA GB300": ("GB300", "10.3"),
    "NVIDIA GB10": ("GB10", "12.1"),
    "DGX Spark": ("GB10", "12.1"),
    "NVIDIA Tegra X1": ("Jetson TX1", "5.3"),
    "jetson-nano": ("Jetson Nano", "5.3"),
    "NVIDIA Tegra X2": ("Jetson TX2", "6.2"),
    "tx2": ("Jetson TX2", "6.2"),
    "Xavier": ("Jetson AGX Xavier", "7.2"),
    "Orin (nvgpu)": ("Jetson AGX Orin", "8.7"),
    "Jetson Orin Nano": ("Jetson Orin Nano", "8.7"),
    "NVIDIA Thor": ("Jetson AGX Thor", "11.0"),
    "Quadro RTX 6000": ("Quadro RTX 6000", "7.5"),
    "Quadro RTX 8000": ("Quadro RTX 8000", "7.5"),
    "RTX 8000": ("Quadro RTX 8000", "7.5"),
    "NVIDIA RTX A6000": ("RTX A6000", "8.6"),
    "A6000": ("RTX A6000", "8.6"),
    "Quadro RTX A6000": ("RTX A6000", "8.6"),
    "NVIDIA RTX 6000 Ada Generation": ("RTX 6000 Ada", "8.9"),
    "RTX 6000 Ada": ("RTX 6000 Ada", "8.9"),
    "NVIDIA RTX6000-Ada-24Q": ("RTX 6000 Ada", "8.9"),
    "NVIDIA RTX 4000 SFF Ada Generation": ("RTX 4000 SFF Ada", "8.9"),
    "NVIDIA RTX 500 Ada Generation Laptop GPU": ("RTX 500 Ada", "8.9"),
    "NVIDIA RTX PRO 6000 Blackwell Workstation Edition": ("RTX PRO 6000 Blackwell", "12.0"),
    "NVIDIA RTX PRO 6000 Blackwell Max-Q Workstation Edition": ("RTX PRO 6000 Blackwell", "12.0"),
    "NVIDIA RTX PRO 6000 Blackwell Server Edition": ("RTX PRO 6000 Blackwell", "12.0"),
    "NVIDIA RTX PRO 5000 72GB Blackwell": ("RTX PRO 5000 Blackwell", "12.0"),
    "RTX PRO 6000": ("RTX PRO 6000 Blackwell", "12.0"),
    "Quadro GV100": ("Quadro GV100", "7.0"),
    "Quadro GP100": ("Quadro GP100", "6.0"),
    "Quadro M6000 24GB": ("Quadro M6000", "5.2"),
    "Quadro K2000": ("Quadro K2000", "3.0"),
    "Quadro K2200": ("Quadro K2200", "5.0"),
    "Quadro T1000 with Max-Q Design": ("T1000", "7.5"),
    "NVIDIA T1000 8GB": ("T1000", "7.5"),
    "GeForce GTX 680": ("GeForce GTX 680", "3.0"),
    "GeForce GTX 780 Ti": ("GeForce GTX 780 Ti", "3.5"),
    "NVIDIA GeForce GTX 980 Ti": ("GeForce GTX 980 Ti", "5.2"),
    "GeForce GTX TITAN X": ("GeForce GTX TITAN X", "5.2"),
    "TITAN X (Pascal)": ("TITAN X Pascal", "6.1"),
    "TITAN Xp": ("TITAN Xp", "6.1"),
    "NVIDIA TITAN V": ("TITAN V", "7.0"),
    "NVIDIA TITAN RTX": ("TITAN RTX", "7.5"),
    "GeForce GTX 1060 6GB": ("GeForce GTX 1060", "6.1"),
    "NVIDIA GeForce GTX 1060 with Max-Q Design": ("GeForce GTX 1060", "6.1"),
    "gtx1080ti": ("GeForce GTX 1080 Ti", "6.1"),
    "GeForce MX150": ("GeForce MX150", "6.1"),
    "GeForce MX130": ("GeForce MX130", "5.0"),
    "NVIDIA GeForce MX450": ("GeForce MX450", "7.5"),
    "NVIDIA GeForce MX570": ("GeForce MX570", "8.6"),
    "NVIDIA GeForce GTX 1650 Ti": ("GeForce GTX 1650 Ti", "7.5"),
    "NVIDIA GeForce RTX 2080 Super with Max-Q Design": ("GeForce RTX 2080 SUPER", "7.5"),
    "NVIDIA GeForce RTX 2050": ("GeForce RTX 2050", "8.6"),
    "NVIDIA GeForce RTX 3090": ("GeForce RTX 3090", "8.6"),
    "GeForce(R) RTX(TM) 3090": ("GeForce RTX 3090", "8.6"),
    "NVIDIA GeForce RTX 3090/PCIe/SSE2": ("GeForce RTX 3090", "8.6"),
    "rtx-3090": ("GeForce RTX 3090", "8.6"),
    "3090": ("GeForce RTX 3090", "8.6"),
    "RTX3070TI": ("GeForce RTX 3070 Ti", "8.6"),
    "NVIDIA GeForce RTX 3050 Laptop GPU": ("GeForce RTX 3050", "8.6"),
    "NVIDIA GeForce RTX 3050 A Laptop GPU": ("GeForce RTX 3050 A", "8.9"),
    "NVIDIA GeForce RTX 4060 Ti 16GB": ("GeForce RTX 4060 Ti", "8.9"),
    "NVIDIA GeForce RTX 4090 D": ("GeForce RTX 4090 D", "8.9"),
    "NVIDIA GeForce RTX 5090 Laptop GPU": ("GeForce RTX 5090", "12.0"),
}


@pytest.mark.parametrize(("text", "found"), SPELLINGS.items())
def test_spellings(gpus: GpuTable, text: str, found: tuple[str, str]) -> None:
    """A name is found however it is written, and one that looks alike is told apart."""
    gpu = gpus.find(text)
    assert (gpu.name, str(gpu.capability)) == found


@pytest.mark.parametrize(
    "text", ["8.6", "86", "sm_86", "SM86", "compute_86", " 8.6 ", "cc 8.6", "compute capability 8.6"]
)
def test_capabilities_are_names_too(gpus: GpuTable, text: str) -> None:
    """A compute capability in any notation is a GPU of that name."""
    gpu = gpus.find(text)
    assert (gpu.name, gpu.capability) == ("8.6", ComputeCapability(8, 6))


def test_variant_letter_is_dropped(gpus: GpuTable) -> None:
    """`sm_90a` is machine code for a GPU of 9.0."""
    assert str(gpus.find("sm_90a").capability) == "9.0"


@pytest.mark.parametrize("text", ["10.1", "sm_101"])
def test_thor_was_renumbered(gpus: GpuTable, text: str) -> None:
    """CUDA 12 called Thor 10.1; since CUDA 13 it is 11.0."""
    assert (gpus.find(text).name, str(gpus.find(text).capability)) == ("Jetson AGX Thor", "11.0")


@pytest.mark.parametrize(
    ("text", "capabilities"),
    [
        ("GeForce GT 730", "2.1, 3.0 or 3.5"),
        ("NVIDIA GeForce GT 710", "2.1 or 3.5"),
        ("GTX 860M", "3.0 or 5.0"),
        ("750", "5.0 or 5.2"),
        ("GTX 560 Ti", "2.0 or 2.1"),
        ("Titan X", "5.2 or 6.1"),
        ("titan", "3.5, 5.2, 6.1, 7.0 or 7.5"),
        ("RTX 6000", "7.5, 8.9 or 12.0"),
        ("NVIDIA RTX 4000", "7.5, 8.9 or 12.0"),
        ("RTX 5000 Laptop GPU", "7.5, 8.9 or 12.0"),
        ("6000", "2.0, 7.5, 8.9 or 12.0"),
    ],
)
def test_ambiguous_names(gpus: GpuTable, text: str, capabilities: str) -> None:
    """A name that several kinds of GPU bear is refused, and all it could be is told."""
    with pytest.raises(UsageError) as caught:
        gpus.find(text)
    assert caught.value.message.startswith(f"`{text}` may mean compute capability {capabilities}: ")
    assert "nvidia-smi --query-gpu=compute_cap" in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("text", "near"),
    [
        ("rtx 3o90", "`GeForce RTX 3090`"),
        ("GTX 3090", "`GeForce RTX 3090`"),
        ("H1000", "`H100`"),
        ("a600", "`RTX A6000`"),
    ],
)
def test_unknown_names_get_the_nearest(gpus: GpuTable, text: str, near: str) -> None:
    """A typing error is answered with names that exist."""
    with pytest.raises(UsageError, match=re.escape(f"no GPU is known by the name `{text}`")) as caught:
        gpus.find(text)
    assert near in (caught.value.hint or "")
    assert (caught.value.hint or "").endswith("its compute capability, such as `--gpu 8.6`")


@pytest.mark.parametrize(
    "text", ["banana bread", "Apple M4", "Quadro 1080", "NVIDIA Graphics Device", "", "AMD Radeon RX 7900"]
)
def test_no_gpu_of_nvidia_is_guessed(gpus: GpuTable, text: str) -> None:
    """What is no NVIDIA GPU is not taken for one."""
    with pytest.raises(UsageError, match="no GPU is known by the name"):
        gpus.find(text)


@pytest.mark.parametrize("text", ["9.9", "sm_45", "75.0"])
def test_capabilities_of_no_gpu(gpus: GpuTable, text: str) -> None:
    """A capability that no GPU has is refused, and those that exist are listed."""
    with pytest.raises(UsageError, match=re.escape(f"no GPU with compute capability `{text}` is known")) as caught:
        gpus.find(text)
    assert "8.6, 8.7, 8.9, 9.0, 10.0" in (caught.value.hint or "")


def test_rows(gpus: GpuTable) -> None:
    """A row tells the architecture, the last driver that serves it, and who says so."""
    v100 = gpus.row("Tesla V100-SXM2-16GB")
    assert (v100.architecture, v100.last_driver_branch) == ("Volta", 580)
    assert v100.driver_source.startswith("https://forums.developer.nvidia.com/")
    assert gpus.row("K80").last_driver_branch == 470
    assert gpus.row("GTX 580").last_driver_branch == 390
    assert gpus.row("GTX 1080").last_driver_branch == gpus.row("GTX 980").last_driver_branch == 580
    assert gpus.row("T4").last_driver_branch is None


def test_names_of(gpus: GpuTable) -> None:
    """The GPUs of a capability are listed; one that no GPU has gives none."""
    assert gpus.names_of(ComputeCapability(6, 0)) == ("P100", "Quadro GP100", "CMP 100-100")
    assert gpus.names_of(ComputeCapability(9, 9)) == ()


# https://developer.nvidia.com/cuda-gpus and https://developer.nvidia.com/cuda-legacy-gpus
@pytest.mark.parametrize(
    ("capability", "names"),
    [
        ("12.0", "RTX PRO 4500 Blackwell, RTX PRO 2000 Blackwell, GeForce RTX 5070 Ti, GeForce RTX 5050"),
        ("11.0", "Jetson T5000, Jetson T4000"),
        ("10.3", "GB300, B300"),
        ("10.0", "GB200, B200"),
        ("9.0", "GH200, H200, H100"),
        ("8.9", "L4, L40, L40S, RTX 5000 Ada, GeForce RTX 4090, GeForce RTX 4050"),
        ("8.7", "Jetson AGX Orin, Jetson Orin NX, Jetson Orin Nano"),
        ("8.6", "A40, A10, A16, A2, RTX A2000, GeForce RTX 3090 Ti, GeForce RTX 3050 Ti"),
        ("8.0", "A100, A30"),
        ("7.5", "T4, Quadro RTX 3000, T1200, T500, TITAN RTX, GeForce RTX 2060"),
        ("7.2", "Jetson AGX Xavier, Jetson Xavier NX"),
        ("7.0", "V100, Quadro GV100, TITAN V"),
        ("6.2", "Jetson TX2"),
        ("6.1", "P40, P4, Quadro P5200, Quadro P400, GeForce GTX 1070 Ti"),
        ("6.0", "P100, Quadro GP100"),
        ("5.3", "Jetson Nano"),
        ("5.2", "M60, M40, Quadro M2200, GeForce GTX 965M"),
        ("5.0", "Quadro K2200, GeForce GTX 750 Ti, GeForce GTX 960M, GeForce 940M"),
    ],
)
def test_what_nvidia_lists(gpus: GpuTable, capability: str, names: str) -> None:
    """The rows agree with NVIDIA's own page."""
    assert set(names.split(", ")) <= set(gpus.names_of(ComputeCapability.parse(capability)))


def test_enough_names(gpus: GpuTable) -> None:
    """At least two hundred GPUs are known, of each architecture since Fermi."""
    assert len({row.name for row in gpus.all}) >= 200
    wanted = {"Fermi", "Kepler", "Maxwell", "Pascal", "Volta", "Turing", "Ampere", "Ada", "Hopper", "Blackwell"}
    assert {row.architecture for row in gpus.all} == wanted


def test_every_row_has_sources(gpus: GpuTable) -> None:
    """Each claim names a published page."""
    for source in (*(row.source for row in gpus.all), *(row.driver_source for row in gpus.all)):
        assert source.startswith("https://")
    for name in gpus.ambiguous:
        assert name.source.startswith("https://")
        assert len(name.capabilities) > 1


def test_every_name_finds_its_row(gpus: GpuTable) -> None:
    """No rule for reading names hides a row behind another, with or without the maker's name."""
    for row in gpus.all:
        for name in (row.name, *row.aliases):
            assert gpus.row(name) is row
            assert gpus.row(f"NVIDIA {name.lower()}") is row


def test_every_ambiguous_name_is_refused(gpus: GpuTable) -> None:
    """None of them is overruled by a row, and each of its capabilities is one of some GPU."""
    for name in gpus.ambiguous:
        assert set(name.capabilities) <= set(gpus.capabilities)
        with pytest.raises(UsageError):
            gpus.row(name.name)


def _natural(name: str) -> list[tuple[int, int, str]]:
    return [(0, int(part), "") if part.isdigit() else (1, 0, part.lower()) for part in re.findall(r"\d+|\D+", name)]


def test_canonical_order(gpus: GpuTable) -> None:
    """Families ascend by capability; names stand in natural order within a source; nothing stands twice."""
    capabilities = [row.capability for row in gpus.all]
    assert capabilities == sorted(capabilities)
    groups: dict[tuple[ComputeCapability, str], list[str]] = {}
    for row in gpus.all:
        groups.setdefault((row.capability, row.source), []).append(row.name)
    for names in groups.values():
        assert names == sorted(names, key=_natural)
    assert [name.name for name in gpus.ambiguous] == sorted((name.name for name in gpus.ambiguous), key=_natural)


def test_normalized() -> None:
    """What tells no chips apart is dropped, all else stays."""
    assert normalized("NVIDIA GeForce(R) RTX 3050 A") == "rtx3050a"
    assert normalized("Tesla K80") == "k80"


FAULTY = """
[[architecture]]
name = "Volta"
last_driver_branch = "580"
source = "https://example.org/"
tier = "declared"

[[family]]
architecture = "Volta"
capability = "7.0"
source = "https://example.org/"
tier = "declared"
names = ["V100"]
"""


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (
            ('architecture = "Volta"', 'architecture = "Vulcan"'),
            "`family[0].architecture`: there is no `[[architecture]]`",
        ),
        (('capability = "7.0"', 'capability = "seven"'), "`family[0].capability`: `seven` is not a compute capability"),
        (('capability = "7.0"', ""), "`family[0].capability`: is missing"),
        (('names = ["V100"]', 'names = ["V100", "Tesla v-100"]'), "`Tesla v-100` is also a name of `V100`"),
        (('names = ["V100"]', 'nomes = ["V100"]'), "`family[0].nomes`: is not known; known keys are"),
        (('names = ["V100"]', '[[alias]]\nname = "V100"\nalso = ["x"]'), "`alias[0].name`: no GPU has this name"),
        (('tier = "declared"', 'tier = "guessed"'), "`architecture[0].tier`: is `guessed`, not one of"),
    ],
)
def test_faults_of_the_file(tmp_path: Path, change: tuple[str, str], fault: str) -> None:
    """A row that is wrong is told, with the place it stands at."""
    file = tmp_path / "gpus.toml"
    file.write_text(FAULTY.replace(*change), encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        GpuTable(file)
    assert any(found.startswith(fault) for found in caught.value.faults)


def test_a_small_file(tmp_path: Path) -> None:
    """The file whose faults are tried above has none as it stands."""
    file = tmp_path / "gpus.toml"
    file.write_text(FAULTY, encoding="utf-8")
    assert [row.name for row in GpuTable(file).all] == ["V100"]


@pytest.mark.parametrize(
    ("name", "platform"),
    [
        ("Jetson AGX Orin", Platform.LINUX_AARCH64),
        ("jetson nano", Platform.LINUX_AARCH64),
        ("TK1", Platform.LINUX_AARCH64),
        ("Thor", Platform.LINUX_AARCH64),
        ("gh200", Platform.LINUX_AARCH64),
        ("GB200", Platform.LINUX_AARCH64),
        ("GB300", Platform.LINUX_AARCH64),
        ("DGX Spark", Platform.LINUX_AARCH64),
        ("H100", None),
        ("B200", None),
        ("8.7", None),
    ],
)
def test_gpus_that_exist_on_one_platform(gpus: GpuTable, name: str, platform: Platform | None) -> None:
    """A Jetson and a Grace superchip have an Arm processor; a GPU on a card, or a capability alone, says nothing."""
    bound = gpus.bound_to((gpus.find("V100"), gpus.find(name)))
    assert (None if bound is None else bound.platform) is platform
    assert bound is None or bound.platform_source.startswith("https://")


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("RX 7900 XTX", "gfx1100"),
        ("AMD Radeon RX 7600", "gfx1102"),
        ("Instinct MI250X", "gfx90a"),
        ("gfx90a", "gfx90a"),
        ("Apple M3 Max", "metal"),
        ("m1", "metal"),
        ("TPU v4", "tpu"),
        ("v5e", "tpu"),
        ("v3-8", "tpu"),
        ("v5litepod-16", "tpu"),
        ("RTX 3090", None),
        ("Arc A770", None),
    ],
)
def test_gpus_of_other_makers(gpus: GpuTable, name: str, word: str | None) -> None:
    """What `--gpu` takes for them, whatever the spelling."""
    assert gpus.other(name) == word

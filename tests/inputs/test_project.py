"""`pyproject.toml`: what it asks for, every fault with its path."""

from __future__ import annotations

from datetime import datetime

import pytest

from tfenv.errors import UsageError
from tfenv.inputs.project import loads
from tfenv.inputs.request import KEYS, Request

FULL = """
[project]
name = "My.Project"
requires-python = ">=3.10,<3.13"
dependencies = ["numpy<3", "Keras_Tuner; sys_platform == 'linux'"]

[project.optional-dependencies]
plot = ["matplotlib"]
all = ["my-project[plot,Dev_Tools]", "six"]
dev-tools = ["my_project[all]", "ipython"]

[dependency-groups]
test = ["pytest>=8", {include-group = "Type_Check"}]
type-check = ["mypy"]

[tool.tfenv]
tf = ">=2.15,<2.18"
gpu = ["v100", "RTX 3090"]
driver = "535.104.05"
python = "3.11"
platform = "linux-x86_64"
glibc = "2.31"
cpu = "x86-64-v3"
with = ["pandas[parquet]>=2"]
requirements = ["requirements.txt"]
constraints = "constraints.txt"
extras = ["Plot"]
groups = ["test"]
index-url = "https://pypi.example.org/simple/"
extra-index-url = ["https://pypi.org/simple/"]
exclude-newer = 2026-01-31T00:00:00Z
keras = 2
prefer = "newest"
prereleases = true
force-broken = true

[tool.tfenv.targets.laptop]
gpu = "none"
driver = "550.1"

[tool.tfenv.targets.empty]
"""


def request(**values: object) -> Request:
    """The request of the full sample, with changes."""
    return Request(
        **{
            "tf": ">=2.15,<2.18",
            "gpus": ("v100", "RTX 3090"),
            "driver": "535.104.05",
            "python": "3.11",
            "platform": "linux-x86_64",
            "glibc": "2.31",
            "cpu": "x86-64-v3",
            "requirements": ("pandas[parquet]>=2",),
            "requirements_files": ("requirements.txt",),
            "constraints_files": ("constraints.txt",),
            "extras": ("plot",),
            "groups": ("test",),
            "index_url": "https://pypi.example.org/simple/",
            "extra_index_urls": ("https://pypi.org/simple/",),
            "exclude_newer": "2026-01-31T00:00:00Z",
            "keras": 2,
            "prefer": "newest",
            "prereleases": True,
            "force_broken": True,
            **values,
        }  # type: ignore[arg-type]
    )


def names(content: str, **named: tuple[str, ...]) -> list[str]:
    """What a project depends on."""
    return [each.name for each in loads(content, **named).dependencies]  # type: ignore[arg-type]


def faults(content: str, **named: object) -> tuple[str, ...]:
    """What is wrong with a project."""
    with pytest.raises(UsageError) as caught:
        loads(content, "some.toml", **named)  # type: ignore[arg-type]
    assert "some.toml" in caught.value.message
    return caught.value.faults


def test_every_key_is_read() -> None:
    """The request mirrors the options, and no key of it is forgotten here."""
    project = loads(FULL)
    assert project.request == request()
    assert project.targets == ("laptop", "empty")
    assert set(KEYS) == {
        line.split(" = ")[0] for line in FULL.partition("[tool.tfenv]\n")[2].partition("\n[")[0].split("\n")
    } - {""}


def test_a_target_replaces_keys() -> None:
    """What a target says replaces what all share; what it does not say stays."""
    assert loads(FULL, target="laptop").request == request(gpus=("none",), driver="550.1")
    assert loads(FULL, target="empty").request == request()


def test_an_unknown_target_is_refused() -> None:
    """The targets that there are are named."""
    with pytest.raises(UsageError, match="no target `desktop`") as caught:
        loads(FULL, target="desktop")
    assert "laptop, empty" in (caught.value.hint or "")
    with pytest.raises(UsageError, match="no target `desktop`") as caught:
        loads("", target="desktop")
    assert "[tool.tfenv.targets.desktop]" in (caught.value.hint or "")


def test_dependencies_extras_and_groups() -> None:
    """The project's own, then the extras named (extras of extras too, cycles and all), then the groups with theirs."""
    assert names(FULL) == ["numpy", "keras-tuner", "matplotlib", "pytest", "mypy"]
    assert names(FULL, extras=("ALL",)) == ["numpy", "keras-tuner", "six", "ipython", "matplotlib", "pytest", "mypy"]
    project = loads(FULL)
    assert project.python is not None
    assert str(project.python) == "python<3.13,>=3.10"
    assert project.dependencies[1].source == "pyproject.toml: project.dependencies"
    assert str(project.dependencies[1].marker) == 'sys_platform == "linux"'
    assert project.dependencies[-1].source == "pyproject.toml: dependency-groups.test"


def test_a_project_may_ask_for_nothing() -> None:
    """An empty file is a project without requests."""
    project = loads("")
    assert (project.dependencies, project.python, project.request) == ((), None, Request())


def test_dynamic_dependencies_are_said() -> None:
    """What only a build backend knows is named as unknown, not guessed."""
    assert "dynamic" in loads('[project]\nname = "x"\ndynamic = ["dependencies"]').notes[0]
    assert loads('[project]\nname = "x"\ndynamic = ["version"]').notes == ()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-01-31", "2026-01-31T00:00:00+00:00"),
        ("2026-01-31T12:00:00+02:00", "2026-01-31T12:00:00+02:00"),
        ('"2026-01-31T00:00:00Z"', "2026-01-31T00:00:00+00:00"),
    ],
)
def test_dates_may_be_of_toml_or_text(value: str, expected: str) -> None:
    """A date of TOML is the same as one in quotes."""
    assert loads(f"[tool.tfenv]\nexclude-newer = {value}").request.exclude_newer == datetime.fromisoformat(expected)


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("tf = 2.17", "`tool.tfenv.tf`: must be a string, not a number"),
        ('tf = "latest"', "`tool.tfenv.tf`: `latest` is neither a version"),
        ("gpu = 1", "`tool.tfenv.gpu`: must be an array, not an integer"),
        ('gpu = ["v100", ""]', "`tool.tfenv.gpu[1]`: must not be empty"),
        ('gpu = ""', "`tool.tfenv.gpu`: must not be empty"),
        ('driver = "new"', "`tool.tfenv.driver`: `new` is not a version"),
        ('platform = "amiga"', "`tool.tfenv.platform`: is `amiga`, not one of linux-x86_64, "),
        ('with = ["six", "./six"]', "`tool.tfenv.with[1]`: `./six` is not a requirement"),
        ('with = ["six @ https://e.org/six"]', "asks for a URL"),
        ('index-url = "pypi"', "`tool.tfenv.index-url`: `pypi` is not a URL of an index"),
        ('exclude-newer = "soon"', "`tool.tfenv.exclude-newer`: `soon` is not a date"),
        ("keras = 4", "`tool.tfenv.keras`: `4` is neither 2 nor 3"),
        ("prereleases = 1", "`tool.tfenv.prereleases`: must be true or false"),
        ('gpus = ["v100"]', "`tool.tfenv.gpus`: is not known; known keys are constraints, cpu"),
        ("targets = 1", "`tool.tfenv.targets`: must be a table"),
        ("[tool.tfenv.targets.x]\ntargets = {}", "`tool.tfenv.targets.x.targets`: is not known"),
        ('[project]\nname = "x"\ndependencies = ["=="]', "`project.dependencies[0]`: `==` is not a requirement"),
        ('[project]\nrequires-python = "three"', "`project.requires-python`: Invalid specifier"),
        ("[dependency-groups]\ntest = 1", "`dependency-groups.test`: Dependency group 'test' is not a sequence"),
        ('[dependency-groups]\ntest = ["six @ https://e.org/six"]', "`dependency-groups.test`: `six"),
        ('[dependency-groups]\ntest = [{include-group = "test"}]', "`dependency-groups.test`: Cyclic"),
        ("[dependency-groups]\na-b = []\na_b = []", "`dependency-groups`: Duplicate"),
    ],
)
def test_a_fault_is_named_with_its_path(line: str, fault: str) -> None:
    """Each faulty value is refused with its place."""
    groups = ("test",) if "\ntest = " in line else ()
    found = faults(f"[tool.tfenv]\n{line}", groups=groups)
    assert [each for each in found if fault in each], found


def test_all_faults_are_told_at_once() -> None:
    """Extras and groups that are not there, and wrong values, in one answer."""
    assert (
        len(faults("[tool.tfenv]\ntf = 1\ngpu = 1\n[tool.tfenv.targets.x]\ntf = 1", extras=("a",), groups=("b",))) == 5
    )


def test_a_fault_in_toml_is_named_with_its_line() -> None:
    """Broken TOML says where."""
    with pytest.raises(UsageError, match=r"is not TOML: .*line 2"):
        loads("[project]\nname = \n")

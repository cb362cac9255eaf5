"""What a project and other files declare, put together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tfenv.errors import UsageError
from tfenv.inputs.request import Request
from tfenv.workflow.lock.declarations import project_here
from tfenv.workflow.lock.wanted import Wanted, gather

if TYPE_CHECKING:
    from pathlib import Path

POETRY = """
[tool.poetry.dependencies]
python = "^3.10"
tensorflow = "2.15.*"
plot = {version = "*", optional = true}
[tool.poetry.extras]
show = ["plot"]
[tool.poetry.group.train.dependencies]
tqdm = "*"
"""


def of(folder: Path, request: Request | None = None) -> Wanted:
    """What is wanted in a folder with a project."""
    return gather(request or Request(), detect=lambda: ((), None), project=folder / "pyproject.toml")


def names(wanted: Wanted) -> list[str]:
    """Names of its requirements."""
    return [str(each.name) for each in wanted.goal.requirements]


def test_extras_and_groups_choose(tmp_path: Path) -> None:
    """Of Poetry's as of the standard's; one that the project does not have is named."""
    (tmp_path / "pyproject.toml").write_text(POETRY)
    assert names(of(tmp_path)) == ["python"]
    assert names(of(tmp_path, Request(extras=["show"], groups=["train"]))) == ["plot", "tqdm", "python"]
    assert str(of(tmp_path).goal.tensorflow) == "==2.15.*"
    with pytest.raises(UsageError) as caught:
        of(tmp_path, Request(extras=["none"]))
    assert "extra `none` does not exist" in caught.value.faults[0]


def test_the_lock_of_another_tool_is_kept_where_it_fits(tmp_path: Path) -> None:
    """Its versions are preferences, and asked for by nobody."""
    (tmp_path / "pyproject.toml").write_text(POETRY)
    (tmp_path / "uv.lock").write_text('version = 1\n[[package]]\nname = "numpy"\nversion = "1.26.1"\n')
    wanted = of(tmp_path)
    assert {str(name): str(version) for name, version in wanted.preferred.items()} == {"numpy": "1.26.1"}
    assert names(wanted) == ["python"]


def test_files_of_a_project_are_read(tmp_path: Path) -> None:
    """Those from which setuptools reads dynamic dependencies, with the indexes they name."""
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nname = "p"\ndynamic = ["dependencies"]\n[tool.setuptools.dynamic]\n'
        'dependencies = {file = "in.txt"}\n'
    )
    (tmp_path / "in.txt").write_text("--index-url https://mirror.example/simple\ntensorflow==2.16.1\npandas\n")
    wanted = of(tmp_path)
    assert names(wanted) == ["pandas"]
    assert str(wanted.goal.tensorflow) == "==2.16.1"
    assert wanted.indexes == ("https://mirror.example/simple",)


def test_a_project_is_found_above(tmp_path: Path) -> None:
    """The nearest file that declares something, and none beyond a repository's root."""
    below = tmp_path / "root" / "a" / "b"
    below.mkdir(parents=True)
    assert project_here(below) in (None, *(path / "pyproject.toml" for path in tmp_path.parents))
    (tmp_path / "root" / ".git").mkdir()
    (tmp_path / "pyproject.toml").write_text(POETRY)
    assert project_here(below) is None
    (tmp_path / "root" / "pyproject.toml").write_text("[project]\nname = 'p'\n")
    (tmp_path / "root" / "a" / "pyproject.toml").write_text("[tool.ruff]\n")
    assert project_here(below) == tmp_path / "root" / "pyproject.toml"


def test_cuda_of_conda_is_a_wish(tmp_path: Path) -> None:
    """It asks for a GPU where the request names none."""
    (tmp_path / "environment.yml").write_text("dependencies: [cudatoolkit=11.2, tensorflow=2.10]\n")
    request = Request(requirements_files=[tmp_path / "environment.yml"])
    wanted = gather(request, detect=lambda: ((), None))
    assert wanted.goal.target.accelerator == "cuda"
    assert str(wanted.goal.tensorflow) == "==2.10.*"
    without = Request(requirements_files=[tmp_path / "environment.yml"], gpus=["none"])
    assert gather(without, detect=lambda: ((), None)).goal.target.accelerator == "none"

"""`tfenv init` writes the request where it is kept in version control."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from tfenv.inputs.project import loads
from tfenv.inputs.request import KEYS, Request

if TYPE_CHECKING:
    from tests.support.commands import Tfenv

PROJECT = Path("pyproject.toml")

OPTIONS = (
    "--tf", ">=2.15,<2.18", "--gpu", "v100", "--gpu", "RTX 3090", "--driver", "535.104.05", "--python", "3.11",
    "--platform", "linux-x86_64", "--glibc", "2.31", "--cpu", "x86-64-v3", "--with", "pandas>=2", "-r", "r.txt",
    "-c", "c.txt", "--extra", "plot", "--group", "test", "--index-url", "https://pypi.example.org/simple/",
    "--extra-index-url", "https://pypi.org/simple/", "--exclude-newer", "2026-01-31", "--keras", "2",
    "--prefer", "newest", "--no-pre", "--force-broken",
)  # fmt: skip


def test_a_project_is_made_where_there_is_none(tfenv: Tfenv) -> None:
    """Without options the request is for the CPU, in a project named like its folder."""
    ran = tfenv("init")
    assert (ran.code, ran.out) == (0, "")
    assert ran.err == "made pyproject.toml        next: tfenv lock\n"
    assert PROJECT.read_text() == (
        '[project]\nname = "project"\nversion = "0"\ndependencies = []\n\n[tool.tfenv]\ngpu = ["none"]\n'
    )


def test_every_option_has_its_key(tfenv: Tfenv) -> None:
    """All that one can ask of `lock` can be kept; asked again, nothing changes."""
    PROJECT.write_text(
        '[project]\nname = "x"\n[project.optional-dependencies]\nplot = []\n[dependency-groups]\ntest = []\n'
    )
    assert tfenv("init", *OPTIONS).err == "changed pyproject.toml        next: tfenv lock\n"
    text = PROJECT.read_text()
    assert [line.split(" = ")[0] for line in text.partition("[tool.tfenv]\n")[2].splitlines()] == list(KEYS)
    assert loads(text).request.gpus == Request(gpus=["v100", "RTX 3090"]).gpus
    assert loads(text).request.prereleases is False
    assert tfenv("init", *OPTIONS).err == "pyproject.toml is up to date already        next: tfenv lock\n"
    assert PROJECT.read_text() == text
    tfenv("init")
    assert PROJECT.read_text() == text


def test_json(tfenv: Tfenv) -> None:
    """One document: the file, what changed in it, and whether it was written."""
    ran = tfenv("init", "--gpu", "v100", "--json", "--dry-run")
    told = json.loads(ran.out)
    assert (ran.code, ran.err, told["file"], told["written"]) == (0, "", "pyproject.toml", False)
    assert '+gpu = ["v100"]' in told["diff"]
    assert json.loads(tfenv("init", "--gpu", "v100", "--json").out)["written"] is True
    assert json.loads(tfenv("init", "--gpu", "v100", "--json").out) == {
        "file": "pyproject.toml",
        "diff": "",
        "written": False,
    }


def test_a_dry_run_prints_the_change(tfenv: Tfenv) -> None:
    """The diff is data; the file stays."""
    PROJECT.write_text('[tool.tfenv]\ngpu = ["none"]  # for now\n')
    ran = tfenv("init", "--gpu", "cuda12", "--dry-run")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == (
        "--- pyproject.toml\n+++ pyproject.toml\n@@ -1,2 +1,2 @@\n [tool.tfenv]\n"
        '-gpu = ["none"]  # for now\n+gpu = ["cuda12"]  # for now\n'
    )
    assert "none" in PROJECT.read_text()
    assert tfenv("init", "--gpu", "none", "--dry-run").out == ""


def test_a_target_has_its_own_table(tfenv: Tfenv) -> None:
    """Targets stand below the request they share, in a folder that is named too."""
    Path("sub").mkdir()
    assert tfenv("init", "--gpu", "8.6", "--target", "work", "--project", "sub").code == 0
    assert loads(Path("sub/pyproject.toml").read_text(), target="work").request.gpus == Request(gpus="8.6").gpus


def test_what_cannot_be_understood_is_not_written(tfenv: Tfenv) -> None:
    """All faults at once, and no file."""
    ran = tfenv(
        "init", "--gpu", "V1000", "--gpu", "cuda12", "--driver", "new", "--with", "./six",
        "--index-url", "https://me:s3cret@pypi.example.org/", "--extra-index-url", "pypi",
    )  # fmt: skip
    assert (ran.code, ran.out) == (2, "")
    for fault in (
        "`gpu[0]`: no GPU",
        "`driver`: `new` is not a version",
        "`with[0]`",
        "`index-url`: credentials",
        "`extra-index-url[0]`",
    ):
        assert fault in ran.err
    assert "V100" in ran.err
    assert "s3cret" not in ran.err
    assert not PROJECT.exists()


def test_a_broken_project_is_left_alone(tfenv: Tfenv) -> None:
    """A file with faults is named with all of them, not written over."""
    PROJECT.write_text("[tool.tfenv]\ngpu = 1\nfoo = 1\n")
    ran = tfenv("init", "--gpu", "none")
    assert ran.code == 2
    assert "`tool.tfenv.gpu`" in ran.err
    assert "`tool.tfenv.foo`" in ran.err
    assert PROJECT.read_text() == "[tool.tfenv]\ngpu = 1\nfoo = 1\n"

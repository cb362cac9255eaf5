"""Base images made on this machine, since CI reaches no container registry.

`python -m tests.support.base_image 3.11 3.13` makes them ahead of the tests. Debian's own Python comes with Debian
bookworm by debootstrap; any other CPython is copied from pyenv over it, to `/usr/local` as in the images of Docker Hub.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

DEBIAN_PYTHON = "3.11"
_REPOSITORY = "tfenv-test/python"
_LEFT_OUT = ("test", "__pycache__", "idlelib", "tkinter", "libpython3.a")


class NoSuchPython(Exception):
    """Neither Debian nor pyenv has this CPython here."""


def base_image(python: str = DEBIAN_PYTHON) -> str:
    """The reference of an image with CPython `X.Y`, made now if the engine does not hold it.

    Raises:
        NoSuchPython: there is none to make it from.
    """
    reference = f"{_REPOSITORY}:{python}-slim-bookworm"
    inspected = subprocess.run(["docker", "image", "inspect", reference], capture_output=True, check=False)
    if inspected.returncode != 0:
        if python == DEBIAN_PYTHON:
            _import_debian(reference)
        else:
            _copy_pyenv(python, reference)
    return reference


def _import_debian(reference: str) -> None:
    packages = "--include=python3,python3-venv,ca-certificates"
    with tempfile.TemporaryDirectory() as folder:
        root = f"{folder}/root"
        subprocess.run(
            ["debootstrap", "--variant=minbase", packages, "bookworm", root],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        unneeded = ("--exclude=./var/cache/apt/archives/*.deb", "--exclude=./var/lib/apt/lists/*")
        archive = ["tar", "-C", root, *unneeded, "-c", "."]
        with subprocess.Popen(archive, stdout=subprocess.PIPE) as packed:
            subprocess.run(
                ["docker", "import", "-", reference], stdin=packed.stdout, check=True, stdout=subprocess.DEVNULL
            )


def _copy_pyenv(python: str, reference: str) -> None:
    root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    found = sorted(root.glob(f"{python}.*"))
    if not found:
        raise NoSuchPython(python)
    recipe = (
        f"FROM {base_image()}\nCOPY local /usr/local\n"
        f"RUN ldconfig && ln -sf python{python} /usr/local/bin/python3 && ln -sf python3 /usr/local/bin/python\n"
    )
    with tempfile.TemporaryFile() as context:
        with tarfile.open(fileobj=context, mode="w") as archive:
            member = tarfile.TarInfo("Dockerfile")
            member.size = len(recipe)
            archive.addfile(member, io.BytesIO(recipe.encode()))
            archive.add(found[-1], "local", filter=_wanted)
        context.seek(0)
        environment = {**os.environ, "DOCKER_BUILDKIT": "0"}
        subprocess.run(
            ["docker", "build", "--tag", reference, "-"],
            stdin=context,
            check=True,
            env=environment,
            capture_output=True,
        )


def _wanted(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    if Path(member.name).name in _LEFT_OUT:
        return None
    member.uid = member.gid = 0
    member.uname = member.gname = "root"
    return member


if __name__ == "__main__":
    for each in sys.argv[1:] or [DEBIAN_PYTHON]:
        sys.stdout.write(f"{base_image(each)}\n")

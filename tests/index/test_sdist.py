"""Requirements of source distributions, read and never run."""

from __future__ import annotations

import bz2
import zlib

import pytest

from tests.support.index_server import tarred, zipped
from tfenv.index import sdist
from tfenv.index.sdist import Declared, declared


def archive(**files: str) -> Declared:
    """Members by name, `__` for a slash and `_DOT_` for a dot."""
    members = {f"x-1/{name.replace('__', '/').replace('_DOT_', '.')}": text.encode() for name, text in files.items()}
    return declared(tarred(members), "x-1.tar.gz")


INFO = "Metadata-Version: {}\nName: x\nVersion: 1\n{}\nText\n"


def test_final_metadata() -> None:
    """From version 2.2 on, what is not Dynamic is final."""
    info = INFO.format("2.2", "Requires-Python: >=3.8\nProvides-Extra: a\nRequires-Dist: six\n")
    found = archive(**{"PKG-INFO": info, "setup.py": "raise SystemExit"})
    assert found == Declared(requires=("six",), requires_python=">=3.8", extras=("a",), dynamic=False)


def test_final_metadata_may_be_empty() -> None:
    """No Requires-Dist in final metadata means none, whatever else lies about."""
    found = archive(**{"PKG-INFO": INFO.format("2.4", ""), "setup.cfg": "[options]\ninstall_requires = six\n"})
    assert found == Declared(requires=(), requires_python=None, extras=(), dynamic=False)


@pytest.mark.parametrize("info", [INFO.format("2.2", "Dynamic: Requires-Dist\n"), INFO.format("1.2", ""), "", "junk"])
def test_egg_info(info: str) -> None:
    """Without final metadata the requirements of the build that made the archive are the best there are."""
    requires = (
        "six>=1.0\n\n# comment\n[:python_version<'3']\nenum34\n[Test_It]\npytest\n[dev:os_name=='nt']\na;b=='c'\n"
    )
    found = archive(
        **{"PKG-INFO": info, "x.egg-info/requires.txt": requires, "setup.py": "setup(install_requires=['no'])"}
    )
    assert found.requires == (
        "six>=1.0",
        "enum34 ; python_version<'3'",
        'pytest ; extra == "test-it"',
        "a ; (b=='c') and (os_name=='nt') and extra == \"dev\"",
    )
    assert found.extras == ("dev", "test-it")
    assert found.dynamic


def test_listed_requirements_of_old_metadata() -> None:
    """Requires-Dist in old metadata is taken, but not as final."""
    found = archive(**{"PKG-INFO": INFO.format("2.1", "Requires-Dist: six\n")})
    assert (found.requires, found.dynamic) == (("six",), True)


def test_egg_info_without_requirements() -> None:
    """Setuptools writes no requires.txt where nothing is required; setup.py is then not asked."""
    found = archive(**{"src/x.egg-info/SOURCES.txt": "setup.py", "setup.py": "setup(install_requires=['no'])"})
    assert found.requires == ()


def test_setup_py() -> None:
    """Literals are read, directly and by name; what is computed is not known."""
    text = """
import os
raise SystemExit("this must not run")
REQUIRED = ["six", "numpy>=1.0"]
a, b = 1, 2
setuptools.setup(name="x", version=os.environ["V"], install_requires=REQUIRED, python_requires=">=2.7",
    extras_require={"test": ["pytest"], ":python_version<'3'": "enum34"}, **more)
"""
    found = archive(**{"setup.py": text})
    assert found.requires == ("six", "numpy>=1.0", 'pytest ; extra == "test"', "enum34 ; python_version<'3'")
    assert found.requires_python == ">=2.7"
    assert archive(**{"setup.py": "setup(install_requires=read('r.txt'), python_requires=V)"}).requires == ()


@pytest.mark.parametrize("text", ["print 'Python 2'", "x = '\\d'\nother(install_requires=['a'])", "(" * 500, "\0"])
def test_setup_py_that_says_nothing(text: str) -> None:
    """A script that cannot be read, or calls no setup, declares nothing."""
    assert archive(**{"setup.py": text}).requires == ()


def test_setup_cfg() -> None:
    """Declared by lines, with extras; what is not INI says nothing."""
    text = (
        "[options]\npython_requires = >=3.6\ninstall_requires =\n  six\n  # no\n[options.extras_require]\nt = pytest\n"
    )
    found = archive(**{"setup.cfg": text})
    assert found == Declared(
        requires=("six", 'pytest ; extra == "t"'), requires_python=">=3.6", extras=("t",), dynamic=True
    )
    assert archive(**{"setup.cfg": "what = ever"}).requires == ()


def test_pyproject() -> None:
    """The project table counts; what is not TOML, or no table, says nothing."""
    text = '[project]\nrequires-python = ">=3.9"\ndependencies = ["six"]\noptional-dependencies = {t = ["pytest"]}\n'
    found = archive(**{"pyproject.toml": text})
    assert found.requires == ("six", 'pytest ; extra == "t"')
    assert found.requires_python == ">=3.9"
    assert archive(**{"pyproject.toml": "["}).requires == ()
    assert archive(**{"pyproject.toml": "project = 1"}).requires == ()


def test_other_archives() -> None:
    """ZIP and bzip2 are read like gzip; paths may begin with a dot."""
    members = {"./x-1/PKG-INFO": INFO.format("2.2", "Requires-Dist: six\n").encode(), "x-1/deep/a/b/PKG-INFO": b"no"}
    for filename, data in (("x-1.zip", zipped(members)), ("x-1.tar.bz2", tarred(members, "x.tar.bz2"))):
        assert declared(data, filename).requires == ("six",)


@pytest.mark.parametrize(
    ("data", "filename"),
    [
        (b"not an archive", "x-1.tar.gz"),
        (b"not an archive", "x-1.zip"),
        (tarred({"x-1/PKG-INFO": b"x" * 5000})[:-30], "x-1.tar.gz"),
        (bz2.compress(b"x"), "x-1.tar.bz2"),
        (zlib.compress(b"x"), "x-1.tgz"),
    ],
    ids=["text.tar.gz", "text.zip", "cut.tar.gz", "no tar in bzip2", "no tar in zlib"],
)
def test_damaged_archives(data: bytes, filename: str) -> None:
    """Whatever is wrong, it is a ValueError that names the file."""
    with pytest.raises(ValueError, match=filename):
        declared(data, filename)


def test_bombs(monkeypatch: pytest.MonkeyPatch) -> None:
    """An archive that unpacks without end, or holds members without number, is left."""
    data = tarred({f"x-1/{i}": bytes(1000) for i in range(100)})
    with monkeypatch.context() as patch:
        patch.setattr(sdist, "_ARCHIVE_LIMIT", 50_000)
        with pytest.raises(ValueError, match="more than 50000 bytes"):
            declared(data, "x-1.tar.gz")
    monkeypatch.setattr(sdist, "_MEMBERS", 50)
    with pytest.raises(ValueError, match="more than 50 files"):
        declared(data, "x-1.tar.gz")

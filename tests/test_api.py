"""The public Python API: what is exported, what it means, and its examples, run offline."""

from __future__ import annotations

import dataclasses
import doctest
import inspect
import re
import subprocess
import sys
from pathlib import Path
from types import FunctionType
from typing import TYPE_CHECKING, Any, is_typeddict

import pytest
from packaging.specifiers import SpecifierSet
from packaging.version import Version

import tfenv
from tests.docs.pages import ROOT, blocks
from tests.support.engine_api import FakeEngine
from tests.support.small_index import add_tensorflow, small_index

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.index_server import FakeIndex

HERE = f"{sys.version_info.major}.{sys.version_info.minor}"
TRAINING = "import tensorflow as tf\n\nimages = tf.data.Dataset.range(9)\ntf.contrib.layers.flatten(images)\n"
PUBLIC = {name: getattr(tfenv, name) for name in tfenv.__all__}
FUNCTIONS = {name: value for name, value in PUBLIC.items() if isinstance(value, FunctionType)}
CLASSES = {name: value for name, value in PUBLIC.items() if isinstance(value, type)}
ARGUMENTS = {name: kind for name, kind in CLASSES.items() if is_typeddict(kind)}
FIELDS = {
    **{
        name: {field.name: str(field.type) for field in dataclasses.fields(kind)}
        for name, kind in CLASSES.items()
        if dataclasses.is_dataclass(kind)
    },
    **{
        name: {key: reference.__forward_arg__ for key, reference in kind.__annotations__.items()}
        for name, kind in ARGUMENTS.items()
    },
}
"""Fields of public values and of keyword arguments, with their types."""

FOREIGN = {
    "Any", "Callable", "Iterable", "Mapping", "Marker", "Name", "None", "Path", "PurePath", "Sequence", "SpecifierSet",
    "Tag", "Unpack", "Version", "bool", "bytes", "date", "datetime", "dict", "float", "frozenset", "int", "object",
    "str", "tuple",
}  # fmt: skip
"""types of Python and `packaging` that users have, and `Name`, which is text"""


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeIndex]:
    """A project with code and a lock for this interpreter, a small index, an engine that has the image of the lock."""
    (tmp_path / "project").mkdir()
    monkeypatch.chdir(tmp_path / "project")
    monkeypatch.setenv("TFENV_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))  # `doctor` starts every interpreter that it finds
    with small_index() as fake, FakeEngine() as engine:
        monkeypatch.setenv("DOCKER_HOST", engine.host)
        image = {"Id": "sha256:12", "RepoTags": ["team/training:1"], "Size": 5, "Created": 1}
        engine.answers |= {"GET /images/json": (200, [[image]]), "GET /images/sha256:12/json": (200, image)}
        if HERE not in ("3.12", "3.13"):
            add_tensorflow(fake, "2.20.0", f"cp{HERE.replace('.', '')}")
        fake.cache_control = "no-cache"
        Path("train.py").write_text(TRAINING, encoding="utf-8")
        tfenv.lock(tfenv.Request(tf="2.20", python=HERE, index_url=fake.url), directory=".")
        yield fake


def _here(text: str, index: FakeIndex) -> str:
    """An example on this machine: with the index that answers here, for the Python that runs here."""
    return text.replace("https://pypi.org/simple/", index.url).replace('python="3.12"', f'python="{HERE}"')


# an image without an engine needs a base image: `tests/image/test_assemble.py` publishes one
@pytest.mark.parametrize("name", sorted({"Request", *FUNCTIONS} - {"publish"}))
def test_examples_of_docstrings(name: str, index: FakeIndex) -> None:
    """Every function has an example in its docstring, and each gives what it shows."""
    text = _here(inspect.getdoc(PUBLIC[name]) or "", index)
    test = doctest.DocTestParser().get_doctest(text, {"tfenv": tfenv}, name, None, None)
    assert test.examples
    report: list[str] = []
    assert doctest.DocTestRunner().run(test, out=report.append).failed == 0, "".join(report)


def test_examples_of_the_page(index: FakeIndex, capsys: pytest.CaptureFixture[str]) -> None:
    """The blocks of `docs/api.md`, one after the other, do what the page says."""
    names: dict[str, Any] = {}
    for block in blocks(ROOT / "docs" / "api.md", "python"):
        exec(compile(_here(block, index), "docs/api.md", "exec"), names)
    printed = capsys.readouterr().out
    assert printed.startswith("2.20.0 3.13 9.10.2.21\n")
    assert "\npython-no-wheel\n" in printed
    assert sorted(path.name for path in Path("training").iterdir()) == ["Dockerfile", "environment.yml", "pylock.toml"]


def test_without_a_directory_nothing_is_written(index: FakeIndex) -> None:
    """A request becomes a lock; no file but those of the cache is touched, whatever lies in the folder."""
    before = {path: path.read_bytes() for path in Path().iterdir()}
    locked = tfenv.lock(tfenv.Request(tf="2.19", index_url=index.url))
    assert (str(locked.tensorflow.version), locked.target.python) == ("2.19.1", Version("3.12"))
    assert {path: path.read_bytes() for path in Path().iterdir()} == before


def test_a_directory_is_what_the_command_does(index: FakeIndex) -> None:
    """Pins of the old lock are kept until they are upgraded, and the answer is the one that was written."""
    request = tfenv.Request(tf="2.20", python="3.12", index_url=index.url)
    first = tfenv.lock(request, directory="there")
    index.add_wheel("numpy", "2.2.0", requires_python=">=3.9")
    later = tfenv.Request(tf="2.20", python="3.12", index_url=index.url, exclude_newer="2030-01-01")
    numpy = [
        tfenv.lock(later, directory="there", upgrade=upgrade, dry_run=True).package("numpy")
        for upgrade in (False, ["six"], "numpy", True)
    ]
    assert [str(package.version) for package in numpy if package] == ["2.1.0", "2.1.0", "2.2.0", "2.2.0"]
    assert tfenv.check_lock(request, directory="there") == (Path("there/pylock.toml"),)
    asked = len(index.requests)
    assert tfenv.lock(request, directory="there", offline=True).packages == first.packages
    assert len(index.requests) == asked


def test_what_cannot_be_locked_is_an_error_of_ours(index: FakeIndex) -> None:
    """With its reasons, and with the exit code of the command."""
    with pytest.raises(tfenv.NoSolution) as caught:
        tfenv.lock(tfenv.Request(platform=tfenv.Platform.LINUX_AARCH64, gpus="cuda", index_url=index.url))
    assert caught.value.exit_code == 3


def test_a_request_takes_plain_values_and_objects() -> None:
    """Both give the same request; so does a copy."""
    plain = tfenv.Request(
        tf="2.17", gpus="V100", driver="535.104.05", glibc="2.31", platform="WSL", exclude_newer="2026-01-31",
        requirements="pandas>=2", cpu="avx,avx2", requirements_files="r.txt",
    )  # fmt: skip
    parsed = tfenv.Request(
        tf=SpecifierSet("==2.17.*"), gpus=plain.gpus, driver=Version("535.104.05"), glibc=Version("2.31"),
        platform=tfenv.Platform.WSL, exclude_newer=plain.exclude_newer, requirements=plain.requirements,
        cpu={"avx2", "avx"}, requirements_files=[Path("r.txt")],
    )  # fmt: skip
    assert plain == parsed == dataclasses.replace(plain)
    assert hash(plain) == hash(parsed)


@pytest.mark.parametrize(
    ("values", "fault"),
    [
        ({"gpus": ["V100", "V1000"]}, "`gpus[1]`: no GPU is known by the name `V1000`"),
        ({"gpus": ["none", "V100"]}, "`gpus`: `none` cannot be combined with another GPU"),
        ({"gpus": ["metal", "auto"]}, "`gpus`: `metal` cannot be combined with another GPU"),
        ({"gpus": ["cuda11", "cuda12"]}, "`gpus`: one CUDA major at a time, not cuda11 and cuda12"),
        ({"gpus": "RX 7900"}, "`--gpu rocm`"),
        ({"tf": 2.17}, "`tf`: must be a string, not a number"),
        ({"index_url": "pypi"}, "`index_url`: `pypi` is not a URL of an index"),
        ({"requirements": ["six", "./six"]}, "`requirements[1]`: `./six` is not a requirement"),
        ({"keras": 4}, "`keras`: `4` is neither 2 nor 3"),
        ({"cpu": "i9"}, "`cpu`: `i9` is neither a processor that is known"),
    ],
)
def test_a_fault_of_a_request_is_named(values: dict[str, Any], fault: str) -> None:
    """With the attribute, when the request is made, and beside all other faults."""
    with pytest.raises(tfenv.UsageError) as caught:
        tfenv.Request(**values, driver="new")
    assert [each for each in caught.value.faults if fault in each], caught.value.faults
    assert "`driver`: `new` is not a version" in caught.value.faults


def test_credentials_are_not_shown() -> None:
    """The text of a request holds no URL."""
    assert "s3cret" not in repr(tfenv.Request(index_url="https://me:s3cret@pypi.example.org/simple/"))


def test_every_public_name_is_there_and_documented() -> None:
    """What is promised exists and has a docstring; nothing else is made up."""
    assert [name for name, value in PUBLIC.items() if not inspect.getdoc(value)] == []
    with pytest.raises(AttributeError, match="`dance`"):
        _ = tfenv.dance
    for name, function in FUNCTIONS.items():
        text = inspect.getdoc(function) or ""
        described = set(re.findall(r"^ *(?:\*\*)?(\w+): ", text, re.MULTILINE))
        assert set(inspect.signature(function).parameters) <= described, name
        assert "Raises:" in text, name


def test_every_field_is_documented() -> None:
    """Each attribute of a public value is in the docstring of its class."""
    for name, fields in FIELDS.items():
        text = inspect.getdoc(CLASSES[name]) or ""
        # those of a base class are described there; keyword arguments that include others name them
        included = [ARGUMENTS[word] for word in re.findall(r"`(\w+)`", text) if word in ARGUMENTS]
        texts = [text, *(inspect.getdoc(kind) or "" for kind in (*CLASSES[name].__mro__[1:], *included))]
        listed = re.findall(r"^ *((?:\w+, )*\w+):", "\n".join(texts), re.MULTILINE)
        described = {word for line in listed for word in line.split(", ")}
        assert set(fields) <= described, name


def test_an_argument_that_does_not_exist_is_refused() -> None:
    """A misspelled keyword is an error, not an option that is ignored."""
    with pytest.raises(TypeError, match="`dry_rn` is not an argument"):
        tfenv.lock(tfenv.Request(), dry_rn=True)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="`force` is not an argument"):
        tfenv.check_lock(tfenv.Request(), force=True)  # type: ignore[call-arg]
    with pytest.raises(tfenv.UsageError, match="the options") as caught:
        tfenv.check(tensorflow="2.17")  # type: ignore[call-arg]
    assert "`tensorflow`: is not known" in caught.value.faults[0]


def test_every_type_that_is_taken_or_returned_is_public() -> None:
    """Of functions, and of the fields of what they return."""
    written = [(name, function.__annotations__) for name, function in FUNCTIONS.items()]
    written += [(name, {key: kind for key, kind in fields.items() if key[0] != "_"}) for name, fields in FIELDS.items()]
    strange = {
        f"{name}.{key}: {word}"
        for name, annotations in written
        for key, annotation in annotations.items()
        for word in re.findall(r"[A-Za-z_]\w*", re.sub(r"Literal\[[^]]*\]", "", str(annotation)))
        if word not in FOREIGN and word not in CLASSES
    }
    assert strange == set()


def test_errors_are_all_public() -> None:
    """Whoever catches one can name it."""
    found = {tfenv.TfenvError}
    while more := {kind for error in found for kind in error.__subclasses__()} - found:
        found |= more
    assert {kind.__name__ for kind in found if kind.__module__ == "tfenv.errors"} <= set(tfenv.__all__)


def _run(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


def test_importing_is_cheap() -> None:
    """`import tfenv` imports nothing of a dependency."""
    names = ("packaging", "httpx", "dataclasses")
    assert _run(f"import sys, tfenv; print([name for name in {names} if name in sys.modules])") == "[]\n"


def test_rooms_do_not_take_the_names_of_functions() -> None:
    """`tfenv.check` is the function, whatever was imported before, and the room of that name can be imported."""
    code = (
        "import tfenv, tfenv.check.verdict, tfenv.smoke.run; from tfenv.infer import answer; tfenv.doctor\n"
        "print(tfenv.check.__name__, tfenv.smoke.__name__, tfenv.infer.__name__, answer.__name__)"
    )
    assert _run(code) == "check smoke infer tfenv.infer.answer\n"

"""`tfenv infer`: the releases of TensorFlow that code, notebooks, models and custom ops need. Nothing is run."""

from __future__ import annotations

import mmap
import os
import stat
from dataclasses import replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

from packaging.requirements import Requirement as Parsed
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from tfenv.errors import NoSolution, UsageError
from tfenv.facts.database import Database, load
from tfenv.facts.digest import INFER
from tfenv.infer.answer import Pairs, answer
from tfenv.infer.distributions import OFF_INDEX
from tfenv.infer.models import artifact, models, ops
from tfenv.infer.python import notebook, reader
from tfenv.infer.surface import Surface
from tfenv.infer.uses import Reading
from tfenv.model.goal import OLDEST_PYTHON
from tfenv.model.package import Requirement, normalize
from tfenv.model.progress import Progress, Silent
from tfenv.store.cache import Cache
from tfenv.store.digests import kept_digest
from tfenv.store.files import paths_of
from tfenv.symbols import database as symbols

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tfenv.model.goal import Goal
    from tfenv.model.inferred import Finding, Inferred

_SHOWN: Final = 3
_LARGEST: Final = 16 * 2**20
_SKIPPED: Final = frozenset(
    {
        "__pycache__",
        "node_modules",
        "site-packages",
        "dist-packages",
        "build",
        "dist",
        ".git",
        ".tox",
        ".nox",
        ".venv",
        "venv",
    }
)
_CODE: Final = (".py", ".pyw")
_NOTEBOOK: Final = ".ipynb"
_OP: Final = ".so"
_BESIDE: Final = ("keras_metadata.pb", "fingerprint.pb", "variables/variables.index")
"""Parts of a SavedModel that add nothing to its `saved_model.pb`."""


def infer(paths: Iterable[Path | str] | Path | str, *, progress: Progress | None = None) -> Inferred:
    """Which releases of TensorFlow do these files need? They are read; nothing in them is run.

    Example:
        >>> found = tfenv.infer("train.py")
        >>> found.spec, found.python
        ('>=1.4,<2', '<3.8')

    Args:
        paths: Python files, notebooks, models, custom ops (`.so`), and folders of them.
        progress: reports files read.

    Raises:
        UsageError: a path does not exist, there is nothing to read, or a damaged model or custom op is the only file.
            Any other file that cannot be read is an entry in `unknown` of the answer.
    """
    return infer_with(paths_of(paths), load(), progress)


def infer_with(paths: Sequence[Path], database: Database, progress: Progress | None = None) -> Inferred:
    """As `infer`, with facts that are loaded already."""
    progress = progress or Silent()
    unread: list[str] = []
    files = [*_files(paths, unread)]
    if not files:
        raise UsageError(
            f"nothing to read in {', '.join(f'`{path}`' for path in paths)}",
            hint="Python files, notebooks, models and custom ops (.so) can be read",
        )
    tables = symbols.load()
    surface = Surface(tables.api, tables.modules)
    pairs = Pairs(surface, pythons(database))
    local = frozenset(_local(files, paths))
    readings: list[Reading] = []
    others: list[Finding] = []
    progress.start("reading", len(files))
    for path, name in files:
        try:
            if path.name.endswith((*_CODE, _NOTEBOOK)) or not path.name.endswith((*models.SUFFIXES, _OP)):
                readings.append(_read(path, name, surface.releases, local))
            else:
                bound, open_questions = _of_artifact(path, name, pairs, database)
                others += bound
                unread += open_questions
        except UsageError as error:
            if len(files) == 1:
                raise
            unread.append(error.message)
        except RecursionError:
            unread.append(f"`{name}` is nested too deeply to be read")
        except MemoryError:
            unread.append(f"`{name}` needs more memory to be read than there is")
        progress.advance("reading")
    progress.finish("reading")
    found = answer(
        readings,
        table=tables.api,
        rules=database.habits,
        pairs=pairs,
        others=others,
        unknown=unread,
        files=len(files),
    )
    return replace(found, facts=kept_digest(database.root, INFER, Cache()), symbols=tables.version)


def narrowed(request: Goal, found: Inferred, what: str) -> tuple[Goal, tuple[str, ...]]:
    """A goal that also meets the needs of the code, and notes about what was added to it.

    Args:
        request: goal without the code.
        found: answer for the code.
        what: paths of the code, for messages.

    Raises:
        NoSolution: no release serves the code.
    """
    spec, keras = found.spec, request.keras
    if found.legacy_spec and (keras == 2 or found.conflict or found.legacy_spec == spec):
        spec, keras = found.legacy_spec, 2
    if not spec:
        raise NoSolution(
            f"no release of TensorFlow has everything that {what} uses",
            hint=f"`tfenv infer {what.replace('`', '')}` shows which lines contradict each other",
        )

    def asked(texts: Iterable[str]) -> tuple[Requirement, ...]:
        return tuple(Requirement.of(Parsed(one), source=f"--infer {what}") for one in texts)

    companions = [one for one in found.companions if one not in OFF_INDEX and one != "tf-keras"]
    bounds = [f"{name}{spec}" for name in ("tensorflow", "tensorflow-cpu", "tensorflow-gpu")]
    locked = [each for each in load().images.pythons if each >= OLDEST_PYTHON]
    if found.python and request.target.python is None and not any(map(SpecifierSet(found.python).contains, locked)):
        raise NoSolution(
            f"{what} runs on Python {found.python} only, and {OLDEST_PYTHON} is the oldest Python that is locked",
            hint=f"convert the code to Python 3, for example with `2to3 -w {what.replace('`', '')}`, and lock again",
        )
    # a bound on Python is a wish: Python is chosen in any case, and no distribution is constrained
    python = [f"python{found.python}"] if found.python else []
    notes = [f"{what} needs tensorflow {spec}"]
    if found.conflict and spec == found.spec:
        lost = {f"`{one.symbol}` ({one.file}:{one.line})" for _, findings in found.lost[-1:] for one in findings}
        shown = ", ".join(sorted(lost)[:_SHOWN]) + (f" and {len(lost) - _SHOWN} more" if len(lost) > _SHOWN else "")
        notes = [f"no release has everything that {what} uses; tensorflow {spec} serves most, and lacks {shown}"]
    if found.legacy_spec and found.legacy_spec != spec:
        notes.append(f"with `--keras 2` it also works on tensorflow {found.legacy_spec}")
    if found.companions:
        notes.insert(1, f"{what} uses {', '.join(found.companions)}")
    return replace(
        request,
        requirements=(*request.requirements, *asked([*companions, *python])),
        constraints=(*request.constraints, *asked(bounds)),
        keras=keras,
    ), tuple(notes)


def pythons(database: Database) -> dict[str, frozenset[Version]]:
    """For each minor release the Python versions that it has wheels for."""
    found: dict[str, set[Version]] = {}
    for release in database.releases:
        if release.name != normalize("tensorflow"):
            continue
        minor = f"{release.version.major}.{release.version.minor}"
        for wheel in release.wheels:
            tag = wheel.python
            if tag.startswith("cp") and tag[2:].isdigit():
                found.setdefault(minor, set()).add(Version(f"{tag[2]}.{tag[3:]}"))
    return {minor: frozenset(some) for minor, some in found.items()}


def _files(paths: Iterable[Path], unread: list[str]) -> Iterator[tuple[Path, str]]:
    """Files to read, each once, with their names in findings: relative to the given folder.

    A sentence about each folder that cannot be listed, and each pipe or device in a folder, is added to `unread`.
    """
    seen = set()
    for path in paths:
        if os.path.isdir(path):  # noqa: PTH112  # `Path.is_dir` raises where a folder above may not be entered
            for one in _walk(path, unread):
                if one not in seen:
                    seen.add(one)
                    yield one, one.relative_to(path).as_posix()
        elif os.path.isfile(path):  # noqa: PTH113
            if path not in seen:
                seen.add(path)
                yield path, path.as_posix()
        else:
            raise UsageError(f"`{path}` does not exist")


def _walk(folder: Path, unread: list[str]) -> Iterator[Path]:
    def miss(error: OSError) -> None:
        unread.append(f"the folder `{error.filename}` cannot be read: {error.strerror}")

    for where, folders, names in os.walk(folder, onerror=miss):
        folders[:] = sorted(
            name
            for name in folders
            if name not in _SKIPPED and not os.path.exists(f"{where}/{name}/pyvenv.cfg")  # noqa: PTH110
        )
        here = Path(where)
        for name in sorted(names):
            if name.endswith((*_CODE, _NOTEBOOK, *models.SUFFIXES, _OP)) and not (here / name).as_posix().endswith(
                _BESIDE
            ):
                try:
                    special = not stat.S_ISREG((here / name).stat().st_mode)
                except OSError:  # the reader says why
                    special = False
                if special:  # reading a pipe would wait for ever
                    unread.append(f"`{here / name}` is not a regular file")
                else:
                    yield here / name


def _local(files: Iterable[tuple[Path, str]], paths: Iterable[Path]) -> Iterator[str]:
    """Modules of the project itself."""
    for path, name in files:
        yield path.stem
        yield from name.split("/")[:-1]
        if path.name == "__init__.py":
            yield path.resolve().parent.name
    for path in paths:
        if path.is_file():
            yield from (one.stem for one in path.resolve().parent.glob("*.py"))


def _read(path: Path, name: str, releases: Sequence[Version], local: frozenset[str]) -> Reading:
    try:
        size = path.stat().st_size
        if size > _LARGEST:
            return Reading(file=name, unread=(f"`{name}` is too large to be read ({size} bytes)",))
        data = path.read_bytes()
    except OSError as error:
        return Reading(file=name, unread=(f"`{name}` cannot be read: {error.strerror}",))
    text = decode(data)
    if path.suffix == _NOTEBOOK:
        return notebook.read(text, name, releases, local)
    return reader.read(text, name, releases, local)


def _of_artifact(
    path: Path, name: str, pairs: Pairs, database: Database
) -> tuple[tuple[Finding, ...], tuple[str, ...]]:
    """The findings about a model or custom op, and its open questions.

    Raises:
        UsageError: the file is damaged or cannot be opened.
    """
    try:
        with path.open("rb") as file:
            if path.name.endswith(_OP):
                op = ops.read(file, name)
                return () if op is None else tuple(
                    ops.findings(op, name, pairs, database.compile, symbols.load().exports)
                ), ()
            found = models.read(_mapped(file), file, name)
    except OSError as error:
        raise UsageError(f"`{name}` cannot be read: {error.strerror}") from None
    if found is None:
        return (), ()
    return tuple(artifact.findings(found, pairs, database.keras)), tuple(artifact.unknown(found, pairs))


def _mapped(file: IO[bytes]) -> memoryview:
    """The bytes of a file, read from disk only as they are accessed."""
    try:
        return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    except ValueError:  # an empty file cannot be mapped
        return memoryview(b"")


def decode(data: bytes) -> str:
    """Source as text, decoded by its byte order mark or coding line, otherwise as UTF-8; invalid bytes are replaced."""
    import io
    import tokenize

    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        text = data.decode(encoding, "replace")
    except (SyntaxError, LookupError, ValueError):  # an unknown codec, or one that is not for text
        text = data.decode("latin-1")
    return text.replace("\r\n", "\n").replace("\r", "\n")

"""Names that NumPy has removed, read off its wheels."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from packaging.version import Version

from tfenv.harvest.published import releases_of
from tfenv.model.package import Name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tfenv.index.client import Client

_NUMPY: Final = Name("numpy")
_OLDEST: Final = Version("1.20")
_FILES: Final = ("numpy/__init__.py", "numpy/_expired_attrs_2_0.py")
_TABLES: Final = ("__former_attrs__", "__expired_attributes__")
"""Names for which NumPy raises `AttributeError`, since 1.24 and since 2.0."""


class NumpyNames:
    """The names that each minor release lacks.

    Args:
        lacking: names by minor release, oldest first.
    """

    def __init__(self, lacking: Mapping[str, frozenset[str]]) -> None:
        self._lacking = lacking
        self.names = frozenset(name for names in lacking.values() for name in names)

    def specifier(self, names: frozenset[str]) -> str:
        """The releases of NumPy that have all of these names."""
        minors = list(self._lacking)
        without = [minor for minor in minors if names & self._lacking[minor]]
        if not without:
            return ""
        if minors[minors.index(without[0]) :] == without:
            return f"<{without[0].removesuffix('.0')}"
        return ",".join(f"!={minor}.*" for minor in without)


async def numpy_names(index: str, client: Client) -> NumpyNames:
    """Read the newest wheel of each minor release since 1.20.

    Raises:
        IndexUnavailable: a wheel cannot be read.
    """
    newest = {}
    for release in sorted(await releases_of(_NUMPY, index, client), key=lambda release: release.version):
        wheels = [file for file in release.files if "manylinux" in file.filename and "x86_64" in file.filename]
        if wheels and release.version >= _OLDEST and not release.version.is_prerelease:
            newest[f"{release.version.major}.{release.version.minor}"] = wheels[0]
    found = {}
    for minor, file in newest.items():
        archive = await client.open_zip(file.url, file.size)
        texts = await archive.read_many(name for name in _FILES if name in archive.names())
        found[minor] = frozenset(name for text in texts.values() for name in removed(text.decode()))
    return NumpyNames(found)


def removed(text: str) -> Iterator[str]:
    """The names that a module of NumPy says are gone: the keys of its tables, also of one made from a list of pairs."""
    lists: dict[str, ast.List] = {}
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.Assign) or not isinstance(node.targets[0], ast.Name):
            continue
        name, value = node.targets[0].id, node.value
        if isinstance(value, ast.List):
            lists.setdefault(name, value)
        elif name in _TABLES and isinstance(value, ast.Dict):
            yield from (str(key.value) for key in value.keys if isinstance(key, ast.Constant))
        elif name in _TABLES and isinstance(value, ast.DictComp):
            made_from = value.generators[0].iter
            pairs = lists[made_from.id].elts if isinstance(made_from, ast.Name) and made_from.id in lists else []
            for pair in pairs:
                if isinstance(pair, ast.Tuple) and isinstance(pair.elts[0], ast.Constant):
                    yield str(pair.elts[0].value)

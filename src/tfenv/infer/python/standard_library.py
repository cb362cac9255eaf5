"""Modules and names of the standard library, and the Python versions that have them.

Sources: https://docs.python.org/3/whatsnew/ of each release, for removals;
https://docs.python.org/3.11/library/2to3.html for Python 2.
"""

from __future__ import annotations

import builtins
import sys
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_TWO: Final = frozenset(
    [
        "urllib2",
        "urlparse",
        "ConfigParser",
        "Queue",
        "cPickle",
        "StringIO",
        "cStringIO",
        "Tkinter",
        "tkMessageBox",
        "tkFileDialog",
        "__builtin__",
        "httplib",
        "cookielib",
        "Cookie",
        "HTMLParser",
        "SocketServer",
        "BaseHTTPServer",
        "SimpleHTTPServer",
        "thread",
        "dummy_thread",
        "copy_reg",
        "exceptions",
        "anydbm",
        "dbhash",
        "whichdb",
        "xmlrpclib",
        "md5",
        "sha",
        "sets",
        "commands",
    ]
)
_SINCE: Final = {
    "secrets": "3.6",
    "contextvars": "3.7",
    "importlib.resources": "3.7",
    "importlib.metadata": "3.8",
    "zoneinfo": "3.9",
    "graphlib": "3.9",
    "tomllib": "3.11",
}
_UNTIL: Final = {
    "asyncio.compat": "3.7",
    "macpath": "3.8",
    "dummy_threading": "3.9",
    "_dummy_thread": "3.9",
    "parser": "3.10",
    "symbol": "3.10",
    "formatter": "3.10",
    "binhex": "3.11",
    "imp": "3.12",
    "asynchat": "3.12",
    "asyncore": "3.12",
    "smtpd": "3.12",
    "cgi": "3.13",
    "cgitb": "3.13",
    "pipes": "3.13",
    "imghdr": "3.13",
    "sndhdr": "3.13",
    "telnetlib": "3.13",
    "crypt": "3.13",
    "audioop": "3.13",
    "lib2to3": "3.13",
}
_NAMES_SINCE: Final = {
    ("typing", "Literal"): "3.8",
    ("typing", "Final"): "3.8",
    ("typing", "Protocol"): "3.8",
    ("typing", "TypedDict"): "3.8",
    ("typing", "Annotated"): "3.9",
    ("typing", "TypeAlias"): "3.10",
    ("typing", "ParamSpec"): "3.10",
    ("typing", "Self"): "3.11",
    ("typing", "override"): "3.12",
    ("functools", "cached_property"): "3.8",
    ("functools", "cache"): "3.9",
    ("math", "prod"): "3.8",
    ("itertools", "pairwise"): "3.10",
    ("itertools", "batched"): "3.12",
    ("enum", "StrEnum"): "3.11",
    ("__future__", "annotations"): "3.7",
}
_ABSTRACT: Final = frozenset(
    [
        "Mapping",
        "MutableMapping",
        "Sequence",
        "MutableSequence",
        "Iterable",
        "Iterator",
        "Callable",
        "Set",
        "MutableSet",
        "Hashable",
        "Sized",
        "Container",
    ]
)
_NAMES_UNTIL: Final = {
    **{("collections", name): "3.10" for name in _ABSTRACT},
    ("fractions", "gcd"): "3.9",
    ("time", "clock"): "3.8",
    ("inspect", "getargspec"): "3.11",
    ("itertools", "izip"): "3",
    ("itertools", "imap"): "3",
    ("itertools", "ifilter"): "3",
    ("itertools", "izip_longest"): "3",
    ("urllib", "urlretrieve"): "3",
    ("urllib", "urlopen"): "3",
    ("urllib", "urlencode"): "3",
    ("urllib", "quote"): "3",
    ("string", "maketrans"): "3",
}
_STANDARD: Final = (
    sys.stdlib_module_names | _TWO | {name.partition(".")[0] for name in (*_SINCE, *_UNTIL)} | {"distutils"}
)
_BUILTIN: Final = frozenset(dir(builtins)) | {"__file__", "__name__", "unicode", "xrange", "raw_input", "basestring"}


def is_standard(top: str) -> bool:
    """Whether a module belongs to the standard library of any Python."""
    return top in _STANDARD


def is_builtin(name: str) -> bool:
    """Whether a name exists without an import."""
    return name in _BUILTIN


def python_of(module: str, names: Sequence[str]) -> Iterator[tuple[str, str]]:
    """What an import asks of Python: pairs of its text and a specifier."""
    if module.partition(".")[0] in _TWO:
        yield f"import {module}", "<3"
    for known, since in _SINCE.items():
        if module == known or module.startswith(f"{known}."):
            yield f"import {known}", f">={since}"
    for known, until in _UNTIL.items():
        if module == known:
            yield f"import {known}", f"<{until}"
    for name in names:
        if (module, name) in _NAMES_SINCE:
            yield f"from {module} import {name}", f">={_NAMES_SINCE[module, name]}"
        if (module, name) in _NAMES_UNTIL:
            yield f"from {module} import {name}", f"<{_NAMES_UNTIL[module, name]}"

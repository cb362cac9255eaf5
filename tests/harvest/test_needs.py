"""What importing a package needs is read off its code."""

from __future__ import annotations

from functools import lru_cache

import pytest

from tfenv.harvest.code_needs import CodeNeed, PublishedCode
from tfenv.harvest.numpy_names import NumpyNames, removed
from tfenv.harvest.top_modules import tops_of
from tfenv.infer.surface import Surface
from tfenv.symbols import database as symbols

REMOVED = ("float_", "bool")


@lru_cache(maxsize=1)
def surface() -> Surface:
    """The names of every release."""
    tables = symbols.load()
    return Surface(tables.api, tables.modules)


def needs(files: dict[str, str], *, metadata: str = "", scripts: str = "") -> dict[str, CodeNeed]:
    """What a package `pack` with these files needs, by module, name or kind."""
    sources = {f"pack/{path}": text.encode() for path, text in files.items()}
    found = PublishedCode("pack", sources, metadata, scripts, surface()).needs(REMOVED)
    return {need.kind if need.kind == "tensorflow" else need.what: need for need in found}


def test_a_module_that_importing_the_package_imports_is_needed() -> None:
    """Imports of the modules that `__init__` imports count, too."""
    found = needs({"__init__.py": "from pack import inner\n", "inner.py": "import regex\n"})
    assert found["regex"].file == "pack/inner.py"


@pytest.mark.parametrize(
    "code",
    [
        "try:\n    import regex\nexcept ImportError:\n    regex = None\n",
        "def later():\n    import regex\n",
        "import os\nif os.environ.get('X'):\n    import regex\n",
        "from contextlib import suppress\nwith suppress(ImportError):\n    import regex\n",
        "if __name__ == '__main__':\n    import regex\n",
        "import typing\nif typing.TYPE_CHECKING:\n    import regex\n",
        "try:\n    import numpy\nexcept ImportError:\n    import regex\n",
        "later = lambda: __import__('regex')\n",
    ],
)
def test_what_may_not_run_or_may_fail_is_not_needed(code: str) -> None:
    """Guards, functions that nothing calls, and unknown conditions."""
    assert "regex" not in needs({"__init__.py": code})


def test_a_function_that_importing_calls_counts_with_its_condition() -> None:
    """A check in another module, that returns on older releases and fails without the module on newer ones."""
    check = (
        "def validate():\n    import tensorflow as tf\n"
        '    minor = int(tf.__version__.split(".", maxsplit=-1)[1])\n'
        '    major = int(tf.__version__.split(".", maxsplit=1)[0])\n'
        "    if major == 1 or (major == 2 and minor < 16):\n        return\n"
        "    try:\n        import tf_keras\n"
        "    except ImportError as error:\n        raise ValueError('missing') from error\n"
    )
    main = "from pack.commons import checks\nchecks.validate()\n"
    found = needs({"__init__.py": "from pack import main\n", "main.py": main, "commons/checks.py": check})
    assert found["tf_keras"].beside == ">=2.16"
    assert "tf_keras" not in needs({"__init__.py": "", "commons/checks.py": check})


def test_a_condition_on_the_version_of_keras_is_one_on_tensorflow() -> None:
    """`tf.keras.version()` starts with 3 from 2.16 on."""
    code = (
        "import tensorflow as tf\ndef instance():\n    version = getattr(tf.keras, 'version', None)\n"
        "    if version and version().startswith('3.'):\n        import tf_keras as keras\n"
        "    else:\n        keras = tf.keras\n    return keras\nkeras = instance()\n"
    )
    assert needs({"__init__.py": code})["tf_keras"].beside == ">=2.16"


def test_what_a_lazy_loader_runs_on_first_use_counts() -> None:
    """A loader that is given a function; the package refuses older releases there, and imports what it needs."""
    code = (
        "import functools\nfrom pack.util import lazy_loader\n"
        "def _validate(name):\n    import tensorflow.compat.v1 as tf\n    required = '2.18'\n"
        "    if Version(tf.__version__) < Version(required):\n        raise ImportError('too old')\n"
        "    if required[0] == '2':\n        try:\n            import tf_keras\n"
        "        except ImportError:\n            raise\n"
        "for name in ['a']:\n"
        "    globals()[name] = lazy_loader.LazyLoader(name, first=functools.partial(_validate, name))\n"
    )
    found = needs({"__init__.py": code, "util/lazy_loader.py": ""})
    assert "tf_keras" in found
    assert (found["tensorflow"].what, found["tensorflow"].names) == (">=2.18", ())


def test_names_of_tensorflow_bound_its_releases() -> None:
    """A base class that Keras 3 lacks; with TF_USE_LEGACY_KERAS newer releases have it."""
    code = "import tensorflow as tf\nclass Layer(tf.keras.layers.LocallyConnected1D):\n    pass\n"
    found = needs({"__init__.py": code})["tensorflow"]
    assert found.what.endswith("<2.16")
    assert "<" not in found.legacy
    assert found.names[0] == "tf.keras.layers.LocallyConnected1D"


def test_a_module_that_is_gone_bounds_the_releases() -> None:
    """`tensorflow.contrib` ends with 1.15; in a function that nothing calls it binds nothing."""
    assert needs({"__init__.py": "from tensorflow.contrib import slim\n"})["tensorflow"].what.endswith("<2")
    assert not needs({"__init__.py": "def f():\n    from tensorflow.contrib import slim\n"})


def test_a_name_in_a_private_module_binds_no_more_than_the_module() -> None:
    """Names in private modules are recorded less completely: 2.4 has `ReductionV2`, and the table does not know it."""
    code = (
        "from tensorflow.python.keras.utils import losses_utils\nKIND = losses_utils.ReductionV2.SUM_OVER_BATCH_SIZE\n"
    )
    assert needs({"__init__.py": code})["tensorflow"].what == ">=1.13"


def test_names_that_numpy_removed_are_found_under_any_alias() -> None:
    """At import time, and not behind a question about the version of NumPy."""
    assert "float_" in needs({"__init__.py": "import numpy as onp\nKIND = onp.float_\n"})
    assert "bool" in needs({"__init__.py": "from numpy import bool\n"})
    guarded = "import numpy as np\nKIND = np.float_ if np.__version__ < '2' else np.float64\n"
    assert "float_" not in needs({"__init__.py": guarded})


def test_scripts_and_the_description_show_what_is_imported() -> None:
    """A package that imports nothing itself is imported as its description says; of scripts the main one counts."""
    files = {"__init__.py": "", "Face.py": "import regex\n", "run.py": "import pkg_resources\n"}
    assert "regex" in needs(files, metadata="Name: pack\n\n>>> from pack import Face\n")
    assert "pkg_resources" in needs(files, scripts="[console_scripts]\npack = pack.run:main\n")
    assert not needs(files, scripts="[console_scripts]\npack = pack.run:main [cli]\n")
    assert not needs(files, scripts="[console_scripts]\npack-train = pack.run:main\n")


def test_numpy_says_itself_what_it_removed() -> None:
    """Both forms of its tables, and ranges from several minor releases."""
    old = '_info = [("object", ""), ("bool", "x")]\n__former_attrs__ = {n: m for n, m in _info}\n'
    assert set(removed(old)) == {"object", "bool"}
    assert set(removed('__expired_attributes__ = {"cast": "x"}\n')) == {"cast"}
    names = NumpyNames({"1.23": frozenset(), "1.24": frozenset({"bool"}), "2.0": frozenset({"cast"})})
    assert names.specifier(frozenset({"cast"})) == "<2"
    assert names.specifier(frozenset({"bool"})) == "!=1.24.*"
    assert names.specifier(frozenset({"bool", "cast"})) == "<1.24"


def test_top_level_modules_of_a_wheel() -> None:
    """Packages and single modules, also those that `.data` installs; metadata is none."""
    members = (
        "a/__init__.py",
        "b.py",
        "x-1.data/purelib/c/d.py",
        "x-1.dist-info/RECORD",
        "e.cpython-311.so",
        "f/g.txt",
    )
    assert set(tops_of(members)) == {"a", "b", "c", "e"}

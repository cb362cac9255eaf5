"""The public symbols of a package, read off its modules; a small TensorFlow stands for the large one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from packaging.version import Version

from tfenv.harvest.public.entries import condense, entries, merge
from tfenv.harvest.public.renames import dumps, renames, wanted
from tfenv.harvest.public.symbols import Symbol, symbols
from tfenv.harvest.public.trees import ModuleTrees
from tfenv.symbols import store
from tfenv.symbols.releases import ReleaseRead, Releases
from tools.api_agreement.compare import spelled_out

if TYPE_CHECKING:
    from collections.abc import Mapping

MODULES = {
    "tensorflow/__init__.py": """
        import os as _os
        from tensorflow._api.v2 import nn
        from tensorflow._api.v2 import compat
        from tensorflow._api.v2 import app
        from tensorflow.python.core import Adder, Both, add
        from tensorflow.python.core import add as plus
        from tensorflow.python.util.lazy_loader import LazyLoader
        contrib = LazyLoader("contrib", globals(), "tensorflow.contrib")
        del LazyLoader
        from tensorflow.python import flags
        app.flags = flags
        if _os.environ.get("_PREFER_OTHERS", False):
            secret = 1
        __version__ = "2.0"
        _hidden = 1
    """,
    "tensorflow/_api/v2/nn/__init__.py": "from tensorflow.python.core import relu, add",
    "tensorflow/_api/v2/app/__init__.py": "from tensorflow.python.core import run",
    "tensorflow/_api/v2/compat/__init__.py": "from tensorflow._api.v2.compat import v1",
    "tensorflow/_api/v2/compat/v1/__init__.py": """
        from tensorflow._api.v2.compat.v1 import nn
        from tensorflow.python.core import Adder
        from tensorflow.python.core import old_add as add
    """,
    "tensorflow/_api/v2/compat/v1/nn/__init__.py": "from tensorflow.python.core import relu",
    "tensorflow/contrib/__init__.py": """
        from tensorflow.contrib import layers
        from tensorflow.python import core
        from tensorflow.python.util.all_util import remove_undocumented
        remove_undocumented(__name__, ["layers"])
    """,
    "tensorflow/contrib/layers/__init__.py": "import numpy as np\nfrom tensorflow.python.core import *",
    "tensorflow/python/__init__.py": "",
    "tensorflow/python/flags.py": "def DEFINE_string(name, default, help): pass",
    "tensorflow/python/core.py": """
        import collections
        __all__ = ["relu", "Adder", "Pair"]
        def add(x, y=1, *, name=None): return x + y
        def old_add(x, y): return x + y
        def run(main=None, argv=None): pass
        @tf_export("nn.relu")
        @deprecated(None, "no longer")
        def relu(features, name=None): return features
        Pair = collections.namedtuple("Pair", ["left", "right"])
        class Base(object):
            def __init__(self, rate, **kwargs): pass
            def step(self, count): pass
            @property
            def rate(self): return 1
            @staticmethod
            def made(of): pass
            def _private(self): pass
        class Adder(Base):
            def step(self, count, scale=1): pass
        class Both(Adder, Unknown):
            pass
    """,
}


def world(modules: Mapping[str, str] = MODULES) -> ModuleTrees:
    return ModuleTrees([{path: _dedent(text).encode() for path, text in modules.items()}])


def _dedent(text: str) -> str:
    lines = text.splitlines()
    least = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
    return "\n".join(line[least:] for line in lines)


@pytest.fixture(name="found")
def _found() -> dict[str, Symbol]:
    return symbols(world(), "tensorflow", python=(3, 8))


def test_what_is_public(found: dict[str, Symbol]) -> None:
    """Generated modules, lazily loaded ones, what is set from elsewhere; not what is private or merely imported."""
    assert {name for name in found if "." not in name} == {
        *("Adder", "Both", "__version__", "add", "app", "compat", "contrib", "flags", "nn", "plus")
    }
    assert {"app.flags.DEFINE_string", "app.run", "nn.relu", "compat.v1.nn.relu", "contrib.layers.Pair.left"} <= set(
        found
    )
    assert not {"contrib.core", "contrib.layers.np", "contrib.layers.add", "_hidden", "secret"} & set(found)


def test_names_that_other_modules_choose() -> None:
    """A list of names is copied into `__all__`; documented names are left to another module; a tree is shown on."""
    found = symbols(
        world(
            {
                "tensorflow/__init__.py": """
                    from tensorflow.tools.api.generator.api import *
                    from tensorflow import contrib
                    from tensorflow.python import summary
                """,
                "tensorflow/tools/api/generator/api/__init__.py": """
                    from tensorflow.python.versions import VERSION as __version__
                    from tensorflow.python.versions import VERSION as __secret__
                    _names_with_underscore = ["__version__"]
                    __all__ = [s for s in dir() if not s.startswith("_")]
                    __all__.extend([s for s in _names_with_underscore])
                """,
                "tensorflow/contrib/__init__.py": """
                    from tensorflow.python import nest
                    from tensorflow.python.versions import VERSION
                    remove_undocumented(nest.__name__, allowed_exception_list=["flatten"])
                    remove_undocumented(__name__, allowed_exception_list=["nest"])
                """,
                "tensorflow/python/__init__.py": "",
                "tensorflow/python/versions.py": "VERSION = '1.8.0'",
                "tensorflow/python/nest.py": "def flatten(x): pass\ndef helper(x): pass\nother = helper",
                "tensorflow/python/summary.py": "from tensorflow._api.v1.compat.v2.summary import *",
                "tensorflow/_api/v1/compat/v2/summary/__init__.py": """
                    from tensorflow._api.v1.compat.v2.summary import experimental
                """,
                "tensorflow/_api/v1/compat/v2/summary/experimental.py": "from tensorflow.python.nest import other",
            }
        ),
        "tensorflow",
        python=(3, 6),
    )
    assert set(found) == {
        *("__version__", "contrib", "contrib.nest", "contrib.nest.flatten"),
        *("summary", "summary.experimental", "summary.experimental.other"),
    }


def test_parameters_and_members(found: dict[str, Symbol]) -> None:
    """Signatures with stars, methods less `self`, inherited members, what a class is made with."""
    assert found["add"].parameters == ("x", "y", "name")
    assert found["compat.v1.add"].parameters == ("x", "y")
    assert found["Adder"].parameters == ("rate", "**kwargs")
    assert found["Adder.step"].parameters == ("count", "scale")
    assert found["Adder.made"].parameters == ("of",)
    assert found["Adder.rate"].kind == "p"
    assert "Adder._private" not in found
    assert found["contrib.layers.Pair"].parameters == ("left", "right")
    assert (found["Adder"].kind, found["Both"].kind) == ("c", "C")  # of an unknown base members may be missing
    assert found["nn.relu"].module == "tensorflow.python.core"


def test_told_once(found: dict[str, Symbol]) -> None:
    """What has several names is told under one; spelled out again, every name and every signature is there."""
    told = condense(found)
    assert told["plus"].alias == "add"
    assert told["compat.v1.Adder"].alias == "Adder"
    assert "compat.v1.Adder.step" not in told
    assert spelled_out(told) == {name: symbol.parameters for name, symbol in found.items()}


def test_releases_are_laid_over_each_other(found: dict[str, Symbol]) -> None:
    """Each release can be had again from the rows of all, also from their text."""
    changed = dict(MODULES)
    changed["tensorflow/python/core.py"] = changed["tensorflow/python/core.py"].replace("y=1, *,", "z, y=1, *,")
    del changed["tensorflow/_api/v2/nn/__init__.py"]
    later = symbols(world(changed), "tensorflow", python=(3, 8))
    told = [condense(found), condense(later)]
    releases = Releases([ReleaseRead(version=Version(one), sources=("a.whl sha256:00",)) for one in ("2.0.0", "2.1.0")])
    texts = store.dumps(releases, merge(told))
    again, rows = store.loads(texts)
    assert store.dumps(again, rows) == texts
    assert "add\tf\t2.0+\t~core\t\tx z[2.1+] y name" in texts["_"].splitlines()
    for bit, before in ((1, found), (2, later)):
        assert spelled_out(entries(rows, bit)) == {name: symbol.parameters for name, symbol in before.items()}


INNER = {
    "keras/__init__.py": "from . import layers\nfrom . import utils",
    "keras/layers/__init__.py": "from .core import Dense\nfrom .core import Dense as Full",
    "keras/layers/core.py": """
        import numpy as np
        from functools import partial
        from ..engine import Layer
        LIMIT = 1
        class Dense(Layer):
            def __init__(self, units): pass
        Full = Dense
        def helper(x): pass
    """,
    "keras/layers/core_test.py": "class Test: pass",
    "keras/layers/broken.py": "from .core import Gone",
    "keras/engine/__init__.py": "from .base import Layer",
    "keras/engine/base.py": """
        class Layer(object):
            def build(self, shape): pass
    """,
    "keras/utils/__init__.py": "from . import data",
    "keras/utils/data.py": "class Reader:\n    def read(self, many): pass",
}


def test_inner_modules() -> None:
    """What can be imported though it is not shown: modules that import what is there, and names of Keras in them."""
    found = symbols(world(INNER), "keras", python=(3, 8))
    inner = {name for name, one in found.items() if one.inner}
    assert {
        "layers.core",
        "engine",
        "engine.base",
        "layers.core.Layer",
        "layers.core.helper",
        "layers.core.LIMIT",
    } <= inner
    assert not {"layers.core.np", "layers.core.partial", "layers.core_test", "layers.broken", "utils.data"} & inner
    later = {f"keras/src/{path.partition('/')[2]}": text for path, text in INNER.items()} | {
        "keras/__init__.py": "from keras.src import layers"
    }
    assert not any(one.inner for one in symbols(world(later), "keras", python=(3, 8)).values())


def test_inner_keras_of_tensorflow() -> None:
    """`tensorflow.python.keras` can be imported, and what is above it."""
    inner = {path.replace("keras/", "tensorflow/python/keras/", 1): text for path, text in INNER.items()}
    found = symbols(world(MODULES | inner), "tensorflow", python=(3, 8))
    assert {"python", "python.keras", "python.keras.layers.core.Dense"} <= {
        name for name, one in found.items() if one.inner
    }
    assert "python.core" not in found


def test_inner_modules_are_told_briefly() -> None:
    """Other names point to what is shown; the rest is there, no more; what a release shows is told in full in all."""
    hidden = INNER | {"keras/utils/__init__.py": ""}
    told = [condense(symbols(world(modules), "keras", python=(3, 8))) for modules in (hidden, INNER)]
    releases = Releases([ReleaseRead(version=Version(one), sources=("a.whl sha256:00",)) for one in ("2.0.0", "2.1.0")])
    texts = store.dumps(releases, merge(told))
    assert texts["inner"].splitlines() == [
        "engine\t2.0+\tC Layer",
        "engine.base\t2.0+\tC Layer",
        "layers.core\t2.0+\t=layers Dense Full\tC Layer\tf helper\tv LIMIT",
    ]
    assert "utils.data.Reader.read\tf\t2.0+\t\t\tmany" in texts["utils"].splitlines()
    again, rows = store.loads(texts)
    assert store.dumps(again, rows) == texts
    assert store.dumps(again, merge([entries(rows, 1), entries(rows, 2)])) == texts


def test_a_module_with_the_same_names() -> None:
    """It is told under one of its names, though each is a module of its own."""
    modules = {
        "tensorflow/__init__.py": "from tensorflow._api.v2 import nn\nfrom tensorflow._api.v2 import compat",
        "tensorflow/_api/v2/nn/__init__.py": "from tensorflow.python.core import relu, add",
        "tensorflow/_api/v2/compat/__init__.py": "from tensorflow._api.v2.compat import v1\n"
        "from tensorflow._api.v2.compat import v2",
        "tensorflow/_api/v2/compat/v1/__init__.py": "from tensorflow._api.v2.compat.v1 import nn",
        "tensorflow/_api/v2/compat/v1/nn/__init__.py": "from tensorflow.python.core import relu, add",
        "tensorflow/_api/v2/compat/v2/__init__.py": "from tensorflow._api.v2.compat.v2 import nn",
        "tensorflow/_api/v2/compat/v2/nn/__init__.py": "from tensorflow.python.core import relu",
        "tensorflow/python/core.py": MODULES["tensorflow/python/core.py"],
    }
    found = symbols(world(modules), "tensorflow", python=(3, 8))
    told = condense(found)
    assert told["compat.v1.nn"].alias == "nn"
    assert "compat.v1.nn.relu" not in told
    assert told["compat.v2.nn.relu"].alias == "nn.relu"
    assert spelled_out(told) == {name: symbol.parameters for name, symbol in found.items()}


def test_names_put_under_globals() -> None:
    """`keras.initializers` from 2.4 on has the classes of a module, also in snake case, and more from a table."""
    found = symbols(
        world(
            {
                "keras/__init__.py": "from keras import initializers",
                "keras/initializers/__init__.py": """
                    from keras.initializers import v2
                    def populate():
                        TABLE["ZerosV2"] = v2.HeZeros
                        if tf2.enabled():
                            utils.populate_dict_with_module_objects(found, [v2], obj_filter=None)
                        TABLE["zero"] = TABLE["he_zeros"]
                    populate()
                    globals().update(TABLE)
                """,
                "keras/initializers/v2.py": "class HeZeros:\n    def __init__(self, dtype): pass",
            }
        ),
        "keras",
        python=(3, 8),
    )
    names = [f"initializers.{name}" for name in ("HeZeros", "he_zeros", "ZerosV2", "zero")]
    assert [found[name].parameters for name in names] == [("dtype",)] * 4


def test_one_backend_of_keras() -> None:
    """Of the backends of Keras, TensorFlow's counts."""
    found = symbols(
        world(
            {
                "keras/__init__.py": "from . import backend",
                "keras/backend/__init__.py": """
                    _BACKEND = "tensorflow"
                    if _BACKEND == "theano":
                        from .theano_backend import *
                    elif _BACKEND == "tensorflow":
                        from .tensorflow_backend import *
                """,
                "keras/backend/theano_backend.py": "def only_theano(): pass\ndef mean(a): pass",
                "keras/backend/tensorflow_backend.py": "def mean(x): pass",
            }
        ),
        "keras",
        python=(3, 6),
    )
    assert "backend.only_theano" not in found
    assert found["backend.mean"].parameters == ("x",)


def test_renames() -> None:
    """The tables of the upgrade script: symbols and keywords; what a newer release tells is told once."""
    members = {
        "tensorflow/tools/compatibility/renames_v2.py": b"renames = {'tf.a': 'tf.b', 'tf.c': 'tf.c'}",
        "tensorflow/tools/compatibility/all_renames_v2.py": b"more = {'tf.a': 'tf.z'}",
        "tensorflow/tools/compatibility/tf_upgrade_v2.py": b"""
class Spec:
  def __init__(self):
    self.function_keyword_renames = {"tf.f": {"dim": "axis"}, "*.g": {"a": "b"}}
    self.other = {"tf.f": "tf.g"}
""",
    }
    assert all(map(wanted, members))
    assert not wanted("tensorflow/tools/compatibility/ast_edits.py")
    found = renames(members)
    assert found == {"tf.a": "tf.z", "tf.f(dim)": "tf.f(axis)"}
    text = dumps({"new.whl": found, "older.whl": {"tf.a": "tf.y", "tf.x": "tf.y"}, "oldest.whl": {"tf.x": "tf.w"}})
    assert text == "source\tnew.whl\ntf.a\ttf.z\ntf.f(dim)\ttf.f(axis)\nsource\tolder.whl\ntf.x\ttf.y\n"

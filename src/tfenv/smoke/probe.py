"""Runs inside an environment and tells what it finds; the judge, elsewhere, compares that with the lock.

One self-contained file: the standard library of Python 3.6 and up, and the TensorFlow that is there (1.4 and up). Every level
runs in a child process, so a crash, a signal or a hang is a finding and not the end. It is started in either of two ways::

    python -I -c "$BOOTSTRAP" "$OPTIONS" < probe.py
    python probe.py '{"device": "gpu"}'

`OPTIONS` is a JSON object, every key optional:

    device         `gpu` (take GPU:0 if TensorFlow sees one) or `cpu`
    distributions  normalized names of the distributions that should be there, so that the hashes of these are verified;
                   left out, those of all are
    environment    names of environment variables to report
    levels         which of 0 to 5 to try; left out, all
    seconds        how long one step may take before it counts as hung

The answer is one JSON object on standard output between `MARK` and `END`, ASCII only, after anything else a library may have
written there. No verdicts: numbers, versions, messages.
"""

# mypy: ignore-errors
# (no annotations: they would be all there is of 3.6 to remember here)

import base64
import ctypes
import glob
import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import traceback

MARK = "@@tfenv-probe-begin@@"
END = "@@tfenv-probe-end@@"
BOOTSTRAP = "import sys;SOURCE=sys.stdin.read();exec(compile(SOURCE,'tfenv-probe','exec'))"
FORMAT = 1

if "SOURCE" not in globals():
    with open(__file__, encoding="utf-8") as _file:
        SOURCE = _file.read()


# --- L0: what is installed -------------------------------------------------------------------------------------------


def normalize(name):
    """The one spelling of a project name (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def find_distributions():
    """Every `.dist-info` and `.egg-info` on `sys.path`, in the order in which they are found by an import."""
    found = []
    seen = set()
    for entry in sys.path:
        if not os.path.isdir(entry):
            continue
        for path in sorted(glob.glob(os.path.join(glob.escape(entry), "*.*-info"))):
            real = os.path.realpath(path)
            if real in seen:
                continue
            seen.add(real)
            metadata = path
            if os.path.isdir(path):
                metadata = os.path.join(path, "METADATA" if path.endswith(".dist-info") else "PKG-INFO")
            try:
                with open(metadata, encoding="utf-8", errors="replace") as file:
                    head = file.read(65536).split("\n\n")[0]
            except OSError:
                continue
            name = re.search(r"^Name:\s*(\S+)", head, re.MULTILINE)
            version = re.search(r"^Version:\s*(\S+)", head, re.MULTILINE)
            if name and version:
                found.append({"name": normalize(name.group(1)), "version": version.group(1), "info": path})
    return found


def read_record(info):
    """The lines of a RECORD as (path, hash, size); None where there is no RECORD."""
    import csv

    try:
        with open(os.path.join(info, "RECORD"), encoding="utf-8", newline="") as file:
            return [(row + ["", ""])[:3] for row in csv.reader(file) if row]
    except (OSError, NotADirectoryError):
        return None


def contents_digest(rows, info_name):
    """A digest of what a wheel put under site-packages, from its own RECORD or from that of the installation.

    Installers add lines (INSTALLER, REQUESTED, byte code, scripts) and never change those of the wheel; so these are left
    out, and the rest is told as one digest, the same before and after the installation. WHEEL is left out, too: those who
    renamed a wheel of TensorFlow 1.4 for another platform wrote a new one and not its hash.
    """
    added = {info_name + "/" + name for name in ("RECORD", "WHEEL", "RECORD.jws", "RECORD.p7s", "INSTALLER", "REQUESTED",
                                                 "direct_url.json", "uv_cache.json", "uv_build.json")}
    lines = set()
    for path, digest, _size in rows:
        path = path.replace("\\", "/")
        if path in added or path.endswith(".pyc") or path.startswith(("../", "/")) or not digest:
            continue
        match = re.match(r"[^/]+\.data/(purelib|platlib)/(.*)", path)
        if match:
            path = match.group(2)
        elif re.match(r"[^/]+\.data/", path):
            continue
        lines.add(path + "," + digest)
    return hashlib.sha256("\n".join(sorted(lines)).encode("utf-8")).hexdigest()


def hash_file(path, algorithm):
    """The digest of a file as RECORD writes it."""
    digest = hashlib.new(algorithm)
    with open(path, "rb") as file:
        for block in iter(lambda: file.read(1 << 20), b""):
            digest.update(block)
    return base64.urlsafe_b64encode(digest.digest()).rstrip(b"=").decode("ascii")


def claims(distributions):
    """For each file named in a RECORD, every hash that some distribution gives it.

    Wheels that share a namespace bring the same `__init__.py`, and not always the same text in it.
    """
    answer = {}
    for item in distributions:
        root = os.path.dirname(item["info"])
        for path, digest, _size in read_record(item["info"]) or []:
            answer.setdefault(os.path.normpath(os.path.join(root, path)), set()).add(digest.rstrip("="))
    return answer


def verify(distribution, claimed):
    """Compare every file of a distribution with its RECORD."""
    rows = read_record(distribution["info"])
    result = {"files": 0, "missing": [], "changed": [], "contents": None}
    if rows is None:
        result["record"] = False
        return result
    result["record"] = True
    root = os.path.dirname(distribution["info"])
    result["contents"] = contents_digest(rows, os.path.basename(distribution["info"]))
    for path, digest, _size in rows:
        # byte code may be written anew at any time; RECORD itself has no hash, and WHEEL not always its own
        if not digest or path.endswith((".pyc", ".dist-info/WHEEL")):
            continue
        result["files"] += 1
        algorithm = digest.partition("=")[0]
        full = os.path.normpath(os.path.join(root, path))
        try:
            if algorithm + "=" + hash_file(full, algorithm) not in claimed[full]:
                result["changed"].append(path)
        except (OSError, ValueError):
            result["missing"].append(path)
    for key in ("missing", "changed"):
        result[key + "_count"] = len(result[key])
        result[key] = result[key][:5]
    return result


def installed(options):
    """L0: distributions, duplicates, hashes."""
    start = time.time()
    found = find_distributions()
    wanted = options.get("distributions")
    names = [item["name"] for item in found]
    claimed = claims(found)
    answer = []
    for item in found:
        where, kind = os.path.dirname(item["info"]), item["info"].rsplit(".", 1)[-1]
        entry = {"name": item["name"], "version": item["version"], "where": where, "kind": kind}
        if wanted is None or item["name"] in wanted:
            entry.update(verify(item, claimed))
        try:
            with open(os.path.join(item["info"], "INSTALLER")) as file:
                entry["installer"] = file.read().strip()
        except (OSError, NotADirectoryError):
            pass
        answer.append(entry)
    return {
        "distributions": answer,
        "duplicates": sorted({name for name in names if names.count(name) > 1}),
        "seconds": round(time.time() - start, 2),
        "environment": {name: os.environ.get(name) for name in options.get("environment", [])},
        "glibc": platform.libc_ver()[1] if sys.platform.startswith("linux") else None,
    }


# --- what the steps share --------------------------------------------------------------------------------------------


class Skip(Exception):
    """This release has no such thing; says which has."""


def numbers(text):
    """The leading numbers of a version, for comparison."""
    return tuple(int(part) for part in re.findall(r"\d+", text)[:3])


class Context:
    """TensorFlow as it was imported, and where to compute."""

    def __init__(self, tf, options, folder):
        self.tf = tf
        self.options = options
        self.folder = folder
        self.version = numbers(tf.__version__)
        self.eager = self.version >= (2,)
        # before 1.13 there is no `compat.v1`
        self.v1 = tf.compat.v1 if self.version >= (1, 13) else tf
        self.gpus = physical_gpus(tf, self.version)
        self.device = "/device:GPU:0" if options.get("device") == "gpu" and self.gpus else "/device:CPU:0"

    @property
    def on_gpu(self):
        return "GPU" in self.device

    def compute(self, function, *arrays):
        """Values and device of `function(*tensors)`, placed on the device or refused."""
        import numpy

        tf = self.tf
        if self.eager:
            with tf.device(self.device):
                results = function(*[tf.constant(array) for array in arrays])
            return [numpy.asarray(item.numpy()) for item in results], results[0].device
        with tf.Graph().as_default(), tf.device(self.device):
            results = function(*[tf.constant(array) for array in arrays])
            # without soft placement an operation that cannot run there is an error
            config = self.v1.ConfigProto(allow_soft_placement=False)
            with self.v1.Session(config=config) as session:
                return [numpy.asarray(item) for item in session.run(list(results))], results[0].device


def physical_gpus(tf, version):
    """Names of the GPUs that TensorFlow sees."""
    if version >= (2, 1):
        return [item.name for item in tf.config.list_physical_devices("GPU")]
    if version >= (2, 0):
        return [item.name for item in tf.config.experimental.list_physical_devices("GPU")]
    from tensorflow.python.client import device_lib

    return [item.name for item in device_lib.list_local_devices() if item.device_type == "GPU"]


def driver():
    """The NVIDIA driver as its own library tells it, without TensorFlow."""
    names = ["nvcuda.dll"] if os.name == "nt" else ["libcuda.so.1", "/usr/lib/wsl/lib/libcuda.so.1"]
    for name in names:
        try:
            library = ctypes.CDLL(name)
        except OSError:
            continue
        version, count = ctypes.c_int(0), ctypes.c_int(0)
        init = library.cuInit(0)
        library.cuDriverGetVersion(ctypes.byref(version))
        if init == 0:
            library.cuDeviceGetCount(ctypes.byref(count))
        text = None
        try:
            with open("/proc/driver/nvidia/version") as file:
                match = re.search(r"\s(\d+\.\d+(?:\.\d+)?)\s", file.read())
                text = match.group(1) if match else None
        except OSError:
            pass
        return {"cuda": "%d.%d" % (version.value // 1000, version.value % 1000 // 10), "init": init, "gpus": count.value, "version": text}
    return None


# --- L1, L2: import and build ----------------------------------------------------------------------------------------


def step_import(context):
    """L1: who was imported, from where."""
    tf = context.tf
    keras = None
    try:
        keras = getattr(tf.keras, "__version__", None) or tf.keras.__name__
        if keras and not keras[0].isdigit():
            keras = None
    except Exception as error:  # the lazy import of Keras fails here, not in `import tensorflow`
        return {"version": tf.__version__, "keras_error": describe(error), "file": tf.__file__}
    import numpy

    return {"version": tf.__version__, "keras": keras, "numpy": numpy.__version__, "file": getattr(tf, "__file__", None) or list(tf.__path__)[0]}


def step_build(context):
    """L2: what the build says of itself."""
    tf = context.tf
    answer = {"is_cuda_build": bool(tf.test.is_built_with_cuda())}
    try:
        if context.version >= (2, 3):
            info = dict(tf.sysconfig.get_build_info())
        else:
            from tensorflow.python.platform import build_info

            info = {key: value for key, value in vars(build_info).items() if not key.startswith("_")}
        answer["info"] = {
            str(key): value if isinstance(value, (bool, int, str)) else [str(item) for item in value]
            for key, value in info.items()
            if isinstance(value, (bool, int, str, list, tuple))
        }
    except Exception as error:
        answer["error"] = describe(error)
    return answer


def step_devices(context):
    """What there is to compute on."""
    tf = context.tf
    details = {}
    if context.gpus and context.version >= (2, 4):
        raw = tf.config.experimental.get_device_details(tf.config.list_physical_devices("GPU")[0])
        details = {key: list(value) if isinstance(value, tuple) else str(value) for key, value in raw.items()}
    return {"gpus": context.gpus, "details": details}


# --- L3: the CUDA libraries ------------------------------------------------------------------------------------------

# as TensorFlow's own loader calls them (tsl/platform/default/dso_loader.h and its ancestors), and as their files are called
ASKED = ("CudaRuntime:cudart", "Cublas:cublas", "CublasLt:cublasLt", "Cufft:cufft", "Curand:curand", "Cusolver:cusolver",
         "Cusparse:cusparse", "Cudnn:cudnn", "Nccl:nccl", "Cupti:cupti")


def maps():
    """Files mapped into this process."""
    with open("/proc/self/maps") as file:
        return {line.split(None, 5)[5].rstrip("\n") for line in file if line.count("/") and len(line.split(None, 5)) == 6}


def integers(function, count):
    """Call `int function(int*, ...)`: its status and the integers."""
    values = [ctypes.c_int(0) for _ in range(count)]
    status = function(*[ctypes.byref(value) for value in values])
    return status, [value.value for value in values]


def properties(function):
    """Call `status xGetProperty(libraryPropertyType, int*)` for major, minor and patch level."""
    parts = []
    for which in range(3):
        value = ctypes.c_int(0)
        if function(which, ctypes.byref(value)) != 0:
            return None
        parts.append(str(value.value))
    return ".".join(parts)


def library_version(library, path):
    """Ask a CUDA library for its version; None where it has no function for that, or no GPU to answer with."""
    name = re.sub(r"^lib|\.so.*$", "", os.path.basename(path))
    name = re.sub(r"-[0-9a-f]{8}$", "", name)
    try:
        if name == "cudart":
            status, (value,) = integers(library.cudaRuntimeGetVersion, 1)
            # 35 is "driver insufficient": no driver here; the version may be told all the same
            return ("%d.%d" % (value // 1000, value % 1000 // 10) if value else None), status
        if name == "cudnn":
            library.cudnnGetVersion.restype = ctypes.c_size_t
            value = library.cudnnGetVersion()
            unit = 10000 if value >= 90000 else 1000
            return "%d.%d.%d" % (value // unit, value % unit // 100, value % 100), 0
        if name == "cublasLt":
            library.cublasLtGetVersion.restype = ctypes.c_size_t
            value = library.cublasLtGetVersion()
            unit = 10000 if value >= 100000 else 1000
            return "%d.%d.%d" % (value // unit, value % unit // 100, value % 100), 0
        if name in ("cublas", "cufft", "cusolver", "cusparse", "curand"):
            return properties(getattr(library, name + "GetProperty")), 0
        if name == "nccl":
            status, (value,) = integers(library.ncclGetVersion, 1)
            unit = 10000 if value >= 10000 else 1000
            return "%d.%d.%d" % (value // unit, value % unit // 100, value % 100), status
        if name == "nvrtc":
            status, (major, minor) = integers(library.nvrtcVersion, 2)
            return "%d.%d" % (major, minor), status
    except AttributeError:
        return None, None
    return None, None


class Returned(ctypes.Structure):
    """Room for a `StatusOr<void*>`, which C++ returns through memory; where in it the handle stands is not relied on."""

    _fields_ = [("room", ctypes.c_uint64 * 8)]


def tensorflow_loader(tf, asked):
    """TensorFlow's own function that opens this library, or None if the build does not export it."""
    folder = os.path.dirname(tf.__file__)
    patterns = ("libtensorflow_cc.so*", "libtensorflow_framework.so*", "python/_pywrap_tensorflow_internal.so")
    function = "Get%sDsoHandle" % asked
    for pattern in patterns:
        for path in sorted(glob.glob(os.path.join(glob.escape(folder), pattern))):
            try:
                library = ctypes.CDLL(path)
            except OSError:
                continue
            for outer in ("tsl", "stream_executor", "tensorflow"):
                symbol = "_ZN%d%s8internal9DsoLoader%d%sEv" % (len(outer), outer, len(function), function)
                try:
                    found = getattr(library, symbol)
                except AttributeError:
                    continue
                found.restype = Returned
                return found
    return None


def is_named(path, name):
    """Is this file the library `libNAME.so…` (wheels of the 1.x time append a hash to the name)?"""
    return re.match(r"lib%s(-[0-9a-f]{8})?\.so" % re.escape(name), os.path.basename(path)) is not None


def steps_libraries(context):
    """L3: one step for each library that TensorFlow asks for, then one for each that a CUDA wheel brought."""
    owners = {}
    brought = []
    for item in find_distributions():
        for path, _digest, _size in read_record(item["info"]) or []:
            if ".so" not in os.path.basename(path):
                continue
            full = os.path.realpath(os.path.join(os.path.dirname(item["info"]), path))
            owners[full] = item["name"]
            # several libraries of one wheel are parts of one (cuDNN); stubs stand in for the driver while linking
            if item["name"].startswith("nvidia-") and "/stubs/" not in path and re.search(r"/lib(64)?/lib[^/]*\.so[^/]*$", path):
                brought.append(full)

    def answer(path, opened):
        version, status = library_version(opened, path)
        return {"file": path, "owner": owners.get(os.path.realpath(path)), "version": version, "status": status}

    def ask(asked, name):
        def step():
            function = tensorflow_loader(context.tf, asked)
            words = list(function().room) if function else None
            loaded = [path for path in sorted(maps()) if is_named(path, name)]
            if words is None and (not loaded or tensorflow_loader(context.tf, "Cudnn") is not None):
                raise Skip("this build exports no loader for it")
            for path in loaded:
                opened = ctypes.CDLL(path)
                # one that is open for other reasons is not what TensorFlow got: the loader gives each file one handle,
                # and it stands somewhere in what came back; a build without loader is linked with what is loaded
                if words is None or opened._handle in words:
                    return answer(path, opened)
            raise OSError("TensorFlow's loader did not open it")

        return step

    def bring(path):
        def step():
            return answer(path, ctypes.CDLL(path))

        return step

    if not context.tf.test.is_built_with_cuda():
        return []
    pairs = [item.split(":") for item in ASKED]
    steps = [("asked " + name, ask(asked, name)) for asked, name in pairs]
    return steps + [("brought " + os.path.basename(path), bring(path)) for path in sorted(brought)]


# --- L4: arithmetic --------------------------------------------------------------------------------------------------


def matmul(context, dtype):
    """Multiply, compare with the same in float64, then see how fast it goes."""
    import numpy

    tf = context.tf
    if context.on_gpu and context.version >= (2, 4):
        # otherwise Ampere and later round float32 to 10 bits, which says nothing about whether it works
        tf.config.experimental.enable_tensor_float_32_execution(False)
    random = numpy.random.RandomState(0)
    left = random.uniform(-1, 1, (192, 256)).astype(dtype)
    right = random.uniform(-1, 1, (256, 128)).astype(dtype)
    exact = left.astype("float64") @ right.astype("float64")
    (result,), device = context.compute(lambda a, b: [tf.matmul(a, b)], left, right)
    error = float(abs(result.astype("float64") - exact).max() / abs(exact).max())
    size = 4096 if context.on_gpu else (1024 if dtype == "float32" else 256)
    gflops = rate(context, random.uniform(-1, 1, (size, size)).astype(dtype), size)
    return {"device": device, "error": error, "gflops": round(gflops, 2), "size": size}


def rate(context, square, size):
    """Multiplications of a square matrix by itself, in 1e9 floating-point operations a second."""
    tf = context.tf
    repeats, best = 4, 0.0
    if context.eager:
        with tf.device(context.device):
            tensor = tf.constant(square)
            tf.matmul(tensor, tensor).numpy()
            for _ in range(3):
                start = time.time()
                for _ in range(repeats):
                    last = tf.matmul(tensor, tensor)
                last[0, 0].numpy()
                best = max(best, repeats * 2.0 * size**3 / (time.time() - start) / 1e9)
        return best
    with tf.Graph().as_default(), tf.device(context.device):
        tensor = tf.constant(square)
        variable = context.v1.Variable(tensor)
        product = tf.matmul(variable, variable)
        with context.v1.Session() as session:
            session.run(variable.initializer)
            session.run(product.op)
            for _ in range(3):
                start = time.time()
                for _ in range(repeats):
                    session.run(product.op)
                best = max(best, repeats * 2.0 * size**3 / (time.time() - start) / 1e9)
    return best


# --- L5: what people do with it --------------------------------------------------------------------------------------


def step_conv(context):
    """Conv2D forward and backward, against the sums written out in float64."""
    import numpy

    tf = context.tf
    random = numpy.random.RandomState(1)
    images = random.uniform(-1, 1, (4, 12, 12, 3)).astype("float32")
    kernel = random.uniform(-1, 1, (3, 3, 3, 8)).astype("float32")
    weight = random.uniform(-1, 1, (4, 10, 10, 8)).astype("float32")

    def forward_backward(x, w, g):
        def convolve():
            return tf.nn.conv2d(x, w, [1, 1, 1, 1], "VALID")

        if context.eager:
            with tf.GradientTape() as tape:
                tape.watch(w)
                y = convolve()
                loss = tf.reduce_sum(y * g)
            return [y, tape.gradient(loss, w)]
        y = convolve()
        return [y, tf.gradients(tf.reduce_sum(y * g), [w])[0]]

    (result, gradient), device = context.compute(forward_backward, images, kernel, weight)
    exact = numpy.zeros((4, 10, 10, 8))
    slope = numpy.zeros((3, 3, 3, 8))
    for i in range(3):
        for j in range(3):
            patch = images[:, i : i + 10, j : j + 10, :].astype("float64")
            exact += numpy.einsum("nhwc,cf->nhwf", patch, kernel[i, j].astype("float64"))
            slope[i, j] = numpy.einsum("nhwc,nhwf->cf", patch, weight.astype("float64"))
    error = max(float(abs(result - exact).max() / abs(exact).max()), float(abs(gradient - slope).max() / abs(slope).max()))
    return {"device": device, "error": error}


def data():
    """Images whose class can be read off them."""
    import numpy

    random = numpy.random.RandomState(2)
    labels = random.randint(0, 2, 64)
    images = random.normal(0, 0.3, (64, 8, 8, 1)) + labels[:, None, None, None]
    return images.astype("float32"), labels.astype("float32").reshape(-1, 1)


def model(context):
    """A small convolutional network; the last layer stays in float32 as mixed precision asks for."""
    layers = context.tf.keras.layers
    parts = [
        layers.Conv2D(4, 3, activation="relu", input_shape=(8, 8, 1)) if not context.keras3 else layers.Conv2D(4, 3, activation="relu"),
        layers.Flatten(),
        layers.Dense(1, activation="sigmoid", dtype="float32"),
    ]
    if context.keras3:
        parts.insert(0, context.tf.keras.Input((8, 8, 1)))
    network = context.tf.keras.models.Sequential(parts)
    network.compile(optimizer="sgd", loss="binary_crossentropy")
    return network


def step_fit(context):
    """Train; the loss before and after."""
    images, labels = data()
    with placed(context):
        network = model(context)
        before = float(network.evaluate(images, labels, verbose=0))
        network.fit(images, labels, epochs=5, batch_size=16, verbose=0)
        after = float(network.evaluate(images, labels, verbose=0))
    return {"loss": [before, after]}


class placed:  # noqa: N801
    """Keras computes in its own scope: its own graph and session in 1.x, so that one step leaves nothing to the next."""

    def __init__(self, context):
        self.context = context

    def __enter__(self):
        self.context.tf.keras.backend.clear_session()
        # 1.x places by itself on the GPU where there is one; only 2.x can be told here, Keras 3 included
        self.device = self.context.tf.device(self.context.device) if self.context.eager else None
        if self.device:
            self.device.__enter__()

    def __exit__(self, *error):
        if self.device:
            self.device.__exit__(*error)


def step_xla(context):
    """The same function compiled and not."""
    import numpy

    tf = context.tf
    if context.version < (2, 1):
        raise Skip("before 2.1 tf.function compiles nothing")
    option = {"jit_compile": True} if context.version >= (2, 5) else {"experimental_compile": True}

    def plain(x, y):
        return tf.reduce_sum(tf.tanh(tf.matmul(x, y)) * 2.0 + 1.0, axis=1)

    # AutoGraph wants to read source, and this has no file
    option["autograph"] = False

    random = numpy.random.RandomState(3)
    left, right = (random.uniform(-1, 1, (32, 32)).astype("float32") for _ in range(2))
    (compiled,), device = context.compute(lambda x, y: [tf.function(plain, **option)(x, y)], left, right)
    exact = (numpy.tanh(left.astype("float64") @ right.astype("float64")) * 2 + 1).sum(axis=1)
    return {"device": device, "error": float(abs(compiled - exact).max() / abs(exact).max()), "option": sorted(option)[-1]}


LOOP = """
import tensorflow as tf

def halve(x):
    while tf.reduce_sum(x) > 1.0:
        x = x / 2.0
    return x
"""


def step_autograph(context):
    """Python's own control flow becomes that of a graph."""
    if context.version < (1, 13):
        raise Skip("before 1.13 AutoGraph is an experiment in contrib")
    # it wants to read source, so there must be a file
    with open(os.path.join(context.folder, "tfenv_loop.py"), "w") as file:
        file.write(LOOP)
    sys.path.insert(0, context.folder)
    try:
        from tfenv_loop import halve
    finally:
        sys.path.remove(context.folder)
    tf = context.tf
    converted = tf.function(halve) if context.eager else tf.autograph.to_graph(halve)
    (result,), _device = context.compute(lambda x: [converted(x)], [8.0, 8.0])
    return {"error": float(abs(result - 0.5).max())}


def step_mixed(context):
    """A fit in mixed precision."""
    keras = context.tf.keras
    if context.version < (2, 1):
        raise Skip("before 2.1 Keras has no mixed precision")
    if context.version < (2, 4):
        setter = keras.mixed_precision.experimental.set_policy
    else:
        setter = keras.mixed_precision.set_global_policy
    try:
        images, labels = data()
        with placed(context):
            # after `clear_session`, which in Keras 3 takes the policy back
            setter("mixed_float16")
            network = model(context)
            before = float(network.evaluate(images, labels, verbose=0))
            network.fit(images, labels, epochs=5, batch_size=16, verbose=0)
            after = float(network.evaluate(images, labels, verbose=0))
            first = network.layers[0]
            policy = first.compute_dtype if hasattr(first, "compute_dtype") else first._compute_dtype
        return {"loss": [before, after], "compute": str(policy)}
    finally:
        setter("float32")


def saved(context, name, save, load):
    """Save, load again, and compare what both predict."""
    images, _labels = data()
    path = os.path.join(context.folder, name)
    with placed(context):
        network = model(context)
        first = network.predict(images, verbose=0)
        save(network, path)
        second = load(path, images)
    return {"error": float(abs(first - second).max())}


def need_h5py():
    try:
        import h5py  # noqa: F401
    except ImportError:
        raise Skip("h5py is not installed")


def step_save_weights(context):
    """Weights alone, into another model of the same shape."""
    need_h5py()

    def load(path, images):
        network = model(context)
        network.load_weights(path)
        return network.predict(images, verbose=0)

    return saved(context, "model.weights.h5", lambda network, path: network.save_weights(path), load)


def whole(context, name, **options):
    def load(path, images):
        return context.tf.keras.models.load_model(path).predict(images, verbose=0)

    return saved(context, name, lambda network, path: network.save(path, **options), load)


def step_save_h5(context):
    need_h5py()
    return whole(context, "model.h5")


def step_save_keras(context):
    if context.version < (2, 12):
        raise Skip("the .keras format begins with 2.12")
    return whole(context, "model.keras")


def step_save_savedmodel(context):
    """The format of TensorFlow itself: `model.save` with Keras 2, `model.export` with Keras 3."""
    if context.version < (2, 0):
        raise Skip("before 2.0 Keras saves no SavedModel by itself")
    if not context.keras3:
        return whole(context, "model", save_format="tf")

    def load(path, images):
        # the object owns the variables: it must outlive the call
        restored = context.tf.saved_model.load(path)
        return restored.serve(images).numpy()

    return saved(context, "model", lambda network, path: network.export(path, verbose=False), load)


# --- running steps in children ---------------------------------------------------------------------------------------


def describe(error):
    """An error as one line."""
    text = " ".join(str(error).split())
    return "%s: %s" % (type(error).__name__, text[:600]) if text else type(error).__name__


STEPS = {
    "import": lambda context: [("import", lambda: step_import(context)), ("build", lambda: step_build(context)),
                               ("devices", lambda: step_devices(context))],
    "libraries": steps_libraries,
    "compute": lambda context: [
        ("devices", lambda: step_devices(context)),
        ("matmul float32", lambda: matmul(context, "float32")),
        ("matmul float16", lambda: matmul(context, "float16")),
    ],
    "train": lambda context: [
        (name, lambda step=step: step(context))
        for name, step in (
            ("Conv2D", step_conv),
            ("model.fit", step_fit),
            ("AutoGraph", step_autograph),
            ("XLA", step_xla),
            ("mixed precision", step_mixed),
            ("weights", step_save_weights),
            (".h5", step_save_h5),
            (".keras", step_save_keras),
            ("SavedModel", step_save_savedmodel),
        )
    ],
}


def child(job):
    """Run the steps of one level, telling the file of every beginning and end."""
    results = open(job["results"], "a", encoding="ascii")

    def tell(**line):
        results.write(json.dumps(line) + "\n")
        results.flush()

    def attempt(name, function):
        tell(begin=name)
        start = time.time()
        try:
            value = dict(function(), outcome="done")
        except Skip as reason:
            value = {"outcome": "skipped", "reason": str(reason)}
        except BaseException as error:
            value = {"outcome": "error", "reason": describe(error), "trace": traceback.format_exc()[-2000:]}
        value["seconds"] = round(time.time() - start, 3)
        # what a C library has written so far belongs to this step
        sys.stderr.flush()
        tell(end=name, value=value)
        return value

    import warnings

    caught = []
    warnings.showwarning = lambda message, category, filename, *rest: caught.append("%s: %s" % (category.__name__, message))
    kept = {}

    def load():
        import tensorflow as tf

        # a folder left by an uninstall imports as an empty namespace
        if not hasattr(tf, "__version__"):
            raise ImportError("`tensorflow` is an empty namespace package: %s" % list(getattr(tf, "__path__", [])))
        kept["tf"] = tf
        return {"warnings": [line[:300] for line in caught[:20]]}

    if attempt("load", load)["outcome"] != "done":
        return

    def prepare():
        # here TensorFlow looks for devices, which is where a broken driver shows
        context = Context(kept["tf"], job["options"], job["folder"])
        context.keras3 = context.version >= (2, 16) and keras_major(context.tf) >= 3
        kept["steps"] = STEPS[job["level"]](context)
        return {}

    if attempt("prepare", prepare)["outcome"] != "done":
        return
    steps = kept["steps"]
    tell(steps=[name for name, _ in steps])
    for name, function in steps:
        if name not in job["done"]:
            attempt(name, function)


def keras_major(tf):
    """3 with Keras 3, also where `tf.keras` is loaded lazily; 2 with `tf_keras` (TF_USE_LEGACY_KERAS)."""
    try:
        return numbers(getattr(tf.keras, "__version__", "2"))[0]
    except Exception:  # reported by the import level
        return 2


def climb(level, options, folder):
    """Run a level in a child, and again without the step that killed it, until every step has an answer."""
    steps = {}
    log = ""
    names = None
    while True:
        results = os.path.join(folder, "results")
        open(results, "w").close()
        job = {"level": level, "options": options, "folder": folder, "results": results, "done": sorted(steps)}
        code, text, killed = watch(job, options.get("seconds", 300))
        log += text
        open_step = None
        with open(results, encoding="ascii") as file:
            for line in file:
                entry = json.loads(line)
                if "steps" in entry:
                    names = entry["steps"]
                elif "begin" in entry:
                    open_step = entry["begin"]
                else:
                    steps[entry["end"]] = entry["value"]
                    open_step = None
        if open_step is not None:
            reason = "no answer in %s s" % options.get("seconds", 300) if killed else ended(code)
            steps[open_step] = {"outcome": "hung" if killed else "crashed", "reason": reason, "tail": text[-1500:]}
        loaded = steps.get("load", {}).get("outcome") == "done"
        if not loaded or names is None or open_step is None or all(name in steps for name in names):
            return {"steps": steps, "log": shorten(log)}


def ended(code):
    """How a process ended, in words."""
    if code is not None and code < 0:
        import signal

        try:
            return "killed by %s" % signal.Signals(-code).name
        except ValueError:
            return "killed by signal %d" % -code
    return "ended with exit code %s" % code


def shorten(log, limit=20000):
    """The head and the tail of a long log."""
    return log if len(log) <= limit else log[: limit // 2] + "\n[…]\n" + log[-limit // 2 :]


def watch(job, seconds):
    """Start the child, and end it when one step takes too long. Returns its exit code, its talk, and whether it was ended."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("TF_CPP_")}
    environment["TFENV_PROBE_JOB"] = json.dumps(job)
    # a GPU is shared with whoever else uses it
    environment.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
    with open(os.path.join(job["folder"], "log"), "w+b") as log:
        process = subprocess.Popen([sys.executable, "-I", "-c", BOOTSTRAP], stdin=subprocess.PIPE, stdout=log, stderr=log, env=environment)
        threading.Thread(target=feed, args=(process,), daemon=True).start()
        size, since, killed = -1, time.time(), False
        while process.poll() is None:
            time.sleep(0.02)
            now = os.path.getsize(job["results"])
            if now != size:
                size, since = now, time.time()
            elif time.time() - since > seconds:
                process.kill()
                process.wait()
                killed = True
        log.seek(0)
        return process.returncode, log.read().decode("utf-8", "replace"), killed


def feed(process):
    """Hand the child this very source."""
    try:
        process.stdin.write(SOURCE.encode("utf-8"))
        process.stdin.close()
    except OSError:
        pass


def main(options):
    """Climb, and print the document."""
    wanted = options.get("levels", [0, 1, 2, 3, 4, 5])
    document = {
        "format": FORMAT,
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "platform": sys.platform,
        "machine": platform.machine(),
        "prefix": sys.prefix,
        "driver": driver(),
    }
    if 0 in wanted:
        document["installed"] = installed(options)
    folder = tempfile.mkdtemp(prefix="tfenv-probe-")
    try:
        levels = [("import", {1, 2}), ("libraries", {3}), ("compute", {4}), ("train", {5})]
        for name, numbers_ in levels:
            if name == "libraries" and not sys.platform.startswith("linux"):
                continue
            if numbers_ & set(wanted):
                document[name] = climb(name, options, folder)
                if document[name]["steps"].get("load", {}).get("outcome") != "done":
                    break
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    # a log may hold the marks; written so, the document cannot
    text = json.dumps(document).replace("@", "\\u0040")
    sys.stdout.write("\n" + MARK + text + END + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    _job = os.environ.pop("TFENV_PROBE_JOB", None)
    if _job is not None:
        child(json.loads(_job))
    else:
        main(json.loads(sys.argv[1]) if len(sys.argv) > 1 else {})

"""Runs inside an environment, on any Python since 3.6: TensorFlow is imported once, and each companion used in a fork.

A use that crashes or spoils the state of its process takes nobody with it. Standard input is a JSON object, code by
name; each line of standard output one of the outcome by name.
"""

import importlib
import json
import os
import signal
import sys
import traceback
from typing import Any

SECONDS = 900


def main(folder: str) -> None:
    """Use one after the other, each in an empty folder of its own."""
    uses = json.load(sys.stdin)
    tf = importlib.import_module("tensorflow")

    def value(tensor: Any) -> Any:
        if tf.executing_eagerly():
            return tensor.numpy()
        with tf.compat.v1.Session() as session:
            session.run([tf.compat.v1.global_variables_initializer(), tf.compat.v1.tables_initializer()])
            return session.run(tensor)

    for name, code in uses.items():
        room = os.path.join(folder, name)  # noqa: PTH118
        os.mkdir(room)  # noqa: PTH102
        child = os.fork()
        if child == 0:
            use(room, code, {"__name__": "__main__", "tf": tf, "value": value})
        _, status = os.waitpid(child, 0)
        sys.stdout.write(json.dumps({name: outcome(room, status)}) + "\n")
        sys.stdout.flush()


def use(room: str, code: str, names: Any) -> None:
    """In the child, which ends here; what a person would see last stands last in its log."""
    log = os.open(os.path.join(room, "log"), os.O_WRONLY | os.O_CREAT)  # noqa: PTH118
    os.dup2(log, 1)
    os.dup2(log, 2)
    status = 1
    try:
        os.chdir(room)
        signal.alarm(SECONDS)
        exec(compile(code, "use", "exec"), names)
        status = 0
    except SystemExit as end:  # `tf.app.run` ends so
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001
        sys.stdout.flush()
        traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(status)


def outcome(room: str, status: int) -> str:
    """`passed`, or in one line what went wrong."""
    if status == 0:
        return "passed"
    if os.WIFSIGNALED(status):
        return f"killed by signal {os.WTERMSIG(status)}"
    with open(os.path.join(room, "log"), encoding="utf-8", errors="replace") as file:  # noqa: PTH118, PTH123
        lines = [" ".join(line.split()) for line in file if line.strip()]
    return (lines or [f"exit code {os.WEXITSTATUS(status)}"])[-1][:240]


if __name__ == "__main__":
    main(sys.argv[1])

"""Programs that say what they need: scripts with inline metadata (PEP 723), and notebooks that call pip.

Source: https://packaging.python.org/en/latest/specifications/inline-script-metadata/
"""

from __future__ import annotations

import re
import shlex

from tfenv.errors import UsageError
from tfenv.inputs.declared.declared import Collector, DependencyFile, specifier, tables, text
from tfenv.store import formats

_BLOCK = re.compile(r"^# /// script\s*$\s(?P<content>(^#(| .*)$\s)+)^# ///$", re.MULTILINE)
_INSTALL = re.compile(r"^\s*[%!]\s*(?:\{sys\.executable\} -m |python3? -m )?(?:uv )?pip3? install\s+(?P<rest>.+)$")
_VALUED = ("-i", "--index-url", "--extra-index-url", "-f", "--find-links", "-t", "--target", "-c", "--constraint")


def of_script(content: str, name: str) -> DependencyFile:
    """The block of a script.

    Raises:
        UsageError: the script has no block, or it is not TOML.
    """
    match = _BLOCK.search(content.replace("\r\n", "\n"))
    if match is None:
        raise UsageError(
            f"`{name}` is a Python program without a block of inline metadata (PEP 723)",
            hint="`tfenv infer` reads which releases of TensorFlow its code can run on",
        )
    lines = (line[2:] if line.startswith("# ") else line[1:] for line in match["content"].splitlines())
    document = formats.toml("\n".join(lines), name)
    found = Collector(name=name)
    found.lines(document.get("dependencies"), "script")
    return DependencyFile(
        requirements=tuple(found.requirements),
        python=specifier(document.get("requires-python")),
        elsewhere=tuple(found.elsewhere),
        notes=tuple(found.notes),
    )


def of_notebook(content: str, name: str) -> DependencyFile:
    """What the cells of a notebook install by `%pip` or `!pip`.

    Raises:
        UsageError: the text is not JSON.
    """
    document = formats.json(content, name)
    found, files = Collector(name=name), list[str]()
    cells = document.get("cells") if isinstance(document, dict) else None
    for number, cell in enumerate(tables(cells), 1):
        source = cell.get("source") if cell.get("cell_type") == "code" else None
        written = source if isinstance(source, str) else "".join(map(text, source if isinstance(source, list) else ()))
        for line in written.splitlines():
            match = _INSTALL.match(line)
            if match is not None:
                files += _installed(found, match["rest"], f"cell {number}")
    return DependencyFile(
        requirements=tuple(found.requirements),
        elsewhere=tuple(found.elsewhere),
        files=tuple(files),
        notes=tuple(found.notes),
    )


def _installed(found: Collector, rest: str, where: str) -> list[str]:
    """The arguments of `pip install`; returns requirements files."""
    try:
        words = shlex.split(rest, comments=True)
    except ValueError:
        found.note(f"{found.name}: {where}: `{rest}` is not read")
        return []
    files, before = list[str](), ""
    for word in words:
        if word in ("&&", ";", "|", ">", "2>&1"):
            break
        if before in ("-r", "--requirement"):
            files.append(word)
        elif before in ("-e", "--editable"):
            found.away(None, word, where)
        elif before not in _VALUED and not word.startswith("-"):
            found.line(word, where)
        before = word
    return files

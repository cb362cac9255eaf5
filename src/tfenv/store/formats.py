"""The text of a user's file as a document, with one kind of error for all faults.

The parsers raise more than their own errors: `RecursionError` for deep nesting, `ValueError` for numbers of thousands
of digits and for dates that do not exist.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from tfenv.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable


def toml(text: str, name: str, *, hint: str | None = None) -> dict[str, Any]:
    """A TOML document.

    Args:
        text: content of the file.
        name: name of the file, for messages.
        hint: what to do if it cannot be read.

    Raises:
        UsageError: the text is not TOML.
    """
    import tomli

    document: dict[str, Any] = _parsed(lambda: tomli.loads(text), "TOML", name, hint, ValueError)
    return document


def json(text: str, name: str) -> Any:
    """A JSON document; arguments and errors as for `toml`."""
    from json import loads

    return _parsed(lambda: loads(text), "JSON", name, None, ValueError)


def yaml(text: str, name: str) -> Any:
    """A YAML document without Python objects; arguments and errors as for `toml`."""
    from yaml import YAMLError, safe_load

    return _parsed(lambda: safe_load(text), "YAML", name, None, YAMLError, ValueError)


def _parsed(parse: Callable[[], Any], form: str, name: str, hint: str | None, *faults: type[Exception]) -> Any:
    def refuse(why: str, error: Exception) -> NoReturn:
        raise UsageError(f"`{name}` is not {form}: {why}", hint=hint) from error

    try:
        return parse()
    except RecursionError as error:
        refuse("it is nested too deeply", error)
    except faults as error:
        refuse(str(error).splitlines()[0] if str(error) else type(error).__name__, error)

"""Documents that users hand in, however they are broken."""

from __future__ import annotations

import pytest

from tfenv.errors import UsageError
from tfenv.store import formats

BROKEN = {
    "toml": {
        "syntax": "a =\n",
        "deep": "a = " + "[" * 20_000,
        "number": "a = " + "9" * 6_000,
    },
    "json": {"syntax": "{", "deep": "[" * 100_000, "number": "9" * 6_000},
    "yaml": {"syntax": "a: [", "deep": "[" * 5_000, "date": "a: 2001-99-99", "object": "!!python/object:os.system x"},
}


@pytest.mark.parametrize(("form", "fault"), [(form, fault) for form, faults in BROKEN.items() for fault in faults])
def test_one_error_for_all_faults(form: str, fault: str) -> None:
    """What a parser cannot read, for whatever reason, is an error in one line that names the file and the format."""
    with pytest.raises(UsageError, match=rf"^`given` is not {form.upper()}: \S") as caught:
        getattr(formats, form)(BROKEN[form][fault], "given")
    assert len(caught.value.message.splitlines()) == 1


def test_documents_are_read() -> None:
    """The three formats give the same document."""
    wanted = {"a": [1, "x"]}
    assert formats.toml('a = [1, "x"]', "x") == formats.json('{"a": [1, "x"]}', "x") == wanted
    assert formats.yaml("a: [1, x]", "x") == wanted

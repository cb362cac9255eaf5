"""Strings that end a string, a line, a list or a template where someone forgot to quote."""

from __future__ import annotations

HOSTILE = (
    'a"b',
    "a'b",
    "a\\b\\",
    '"""',
    "'''",
    "a\nb = 1\n[tool.tfenv]\n",
    "a\r\nb",
    "tab\tbell\a null\x00 escape\x1b delete\x7f",
    "]\n}\n",
    "# not a comment",
    "key: value",
    "- item",
    "*anchor &anchor !tag %dir @at `tick`",
    "{{ 1 + 1 }} {% raw %} ${HOME} $(id)",
    "yes",
    "null",
    "",
    " led and trailed ",
    "line\u2028separator next\u0085line \ufeffmark",
    "füñ 漢字 \U0001f600",
)

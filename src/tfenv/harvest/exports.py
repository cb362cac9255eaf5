"""What a shared library exports: the dynamic symbol table of an ELF file, read as bytes.

Layout: https://refspecs.linuxfoundation.org/elf/gabi4+/ch4.symtab.html and `ch4.sheader.html`.
"""

from __future__ import annotations

import re
import struct

_LIBRARY = re.compile(r"(?:.*/)?libtensorflow_(framework|cc)\.so(?:\.\d+)?")
_HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
_SECTION = struct.Struct("<IIQQQQIIQQ")
_SYMBOL = struct.Struct("<IBBHQQ")
_DYNSYM = 11
_GLOBAL, _WEAK, _UNIQUE = 1, 2, 10


def library(member: str) -> str:
    """The library for custom ops that a member of a wheel is: `framework` or `cc`; empty if it is neither."""
    found = _LIBRARY.fullmatch(member)
    return found[1] if found else ""


def exports(data: bytes) -> frozenset[str]:
    """Names that other libraries can link to.

    Raises:
        ValueError: the file is not a 64-bit little-endian ELF file, or is damaged.
    """
    try:
        head = _HEADER.unpack_from(data)
        if not head[0].startswith(b"\x7fELF\x02\x01"):
            raise ValueError("it is not a 64-bit little-endian ELF file")
        start, size, count = head[6], head[11], head[12]
        sections = [_SECTION.unpack_from(data, start + at * size) for at in range(count)]
        table = next(section for section in sections if section[1] == _DYNSYM)
        strings = sections[table[6]]
        texts = data[strings[4] : strings[4] + strings[5]]
        found = set()
        for name, info, other, section, _, _ in _SYMBOL.iter_unpack(data[table[4] : table[4] + table[5]]):
            if section and info >> 4 in (_GLOBAL, _WEAK, _UNIQUE) and other & 3 in (0, 3):  # default, protected
                found.add(texts[name : texts.index(b"\0", name)].decode("ascii"))
    except (struct.error, StopIteration, IndexError, UnicodeDecodeError) as error:
        raise ValueError(f"its symbol table cannot be read: {str(error) or type(error).__name__}") from None
    return frozenset(found)

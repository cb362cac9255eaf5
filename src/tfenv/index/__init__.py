"""Package indexes: PyPI and private ones, over HTTP, with a cache on disk.

`source` answers the resolver, `download` provides files for an installation, `open_wheel` and `remote_zip` read
parts of a wheel without downloading it. They are built on `client` (requests, with `transport`, `answers` and
`credentials`), `pages` (the files that an index lists), `metadata` and `sdist` (the requirements of a file), and
`lenient` (old metadata).
"""

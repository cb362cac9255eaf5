"""Package indexes: PyPI and private ones, over HTTP, with a cache on disk.

`source` is what a resolver asks, `download` what an installation needs, `wheels` and `remote_zip` read the inside of a
wheel without fetching it. Beneath them: `client` (one connection pool, with `answers`, `credentials` and `tls`),
`cache`, `pages` (what an index lists), `metadata` and `sdist` (what a file requires), `repair` (old metadata).
"""

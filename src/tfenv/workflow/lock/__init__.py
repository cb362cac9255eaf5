"""`tfenv lock`: one service, from a request to a lock and its files.

goal     a request, its project and files ─▶ what the lock has to meet
old      the lock that is there: versions, notes and image digest that are kept
memory   an unchanged request is answered from the cache
solve    goal ─▶ lock, in a `world` of indexes and facts
service  the functions for users: `lock`, `lock_targets`, `check_lock`
"""

"""`tfenv lock`: one service, from a request to a lock and its files.

wanted   a request, its project and files ─▶ the goal, what the lock has to meet
old      the lock that is there: versions, notes and image digest that are kept
memory   an unchanged request is answered from the cache
solve    goal ─▶ lock, from what the indexes and the facts `supply`
job      one target: old lock, memory or search, files
service  the functions for users: `lock`, `lock_targets`, `check_lock`
"""

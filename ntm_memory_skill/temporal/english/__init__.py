"""English expressions of time.

A word that is a name or a verb as well (may, march, April, fall) counts only where the words around it leave no doubt.
What lies ahead ("tomorrow", "next week") is not read: what is remembered about it was said at another time.
"""

"""Chinese expressions of time.

Without spaces a word is known by its neighbours: 前天 in 目前天气 is no day, 周一 in 一周一次 is no Monday.
What lies ahead (明天, 下周) is not read: what is remembered about it was said at another time.
"""

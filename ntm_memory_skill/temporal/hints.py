"""The cheap first look: what stands in every text that names a time.

They are kept apart from the grammars, which take some 60 ms to load and are loaded by the first text that has a hint.
"""

from __future__ import annotations

import re

from ntm_memory_skill.temporal.english.words import FEASTS, MONTHS, SEASONS, WEEKDAYS, S, pattern

ENGLISH = pattern(
    rf"\b(?:{MONTHS}|{SEASONS}|{FEASTS}|(?:{WEEKDAYS})day|ago|last|past|today|tonight|yesterday|weekend|other{S}day"
    rf"|this{S}(?:week|month|quarter|year|morning|afternoon|evening))\b|(?:19|20)\d\d|\bon{S}the{S}\d"
)
CHINESE = re.compile(
    r"[去今前\d〇○零一二两三四五六七八九十几数半]\s?年|[\d一二三四五六七八九十上个这本]\s?月"
    r"|[上这本个近\d一二两三四五六七八九十几数]\s?周|周[一二三四五六日天]|星期|礼拜|小时|钟头|[昨今前][天日晚夜早晨]"
    r"|[\d一二两三四五六七八九十几数些]\s?[天日]|[上这的]个?[春夏秋冬暑圣平国元情劳五万]|(?:19|20)\d\d[-/.]"
)

"""What of a user's message is worth keeping without being asked: sentences that sound like facts about their life.

Rules in two languages, on purpose: they cost nothing, need no model, and everybody can read why a sentence was kept.
They miss much; what matters is that an agent memorizes by itself what they miss.
"""

from __future__ import annotations

import re

LONGEST_MESSAGE = 2_000  # characters: what is longer was pasted, not said
LONGEST, SHORTEST = 400, 4  # characters of a sentence
MOST = 3  # sentences of one message

_TRIGGERS = re.compile(
    r"""
      \b(?:remember|memorize|don'?t\ forget|keep\ in\ mind|note\ (?:that|down)|for\ the\ record)\b
    | \b(?:my|our)\ (?:\w+\ ){1,5}?(?:is|are|was|were)\b
    | \b(?:i|we)\ (?:(?:really|usually|always|never|also|still|now|don'?t|do\ not|can'?t|cannot|no\ longer)\ )*
      (?:prefer|like|love|hate|dislike|enjoy|want|need|use|drink|eat|live|work|moved|study|own|have|speak)\b
    | \b(?:i'?m|i\ am|we'?re|we\ are)\ (?:allergic|called|from|based|living|married|vegan|vegetarian|afraid|moving)\b
    | \b(?:call\ me|from\ now\ on|we\ (?:decided|agreed)|i\ (?:decided|was\ born))\b
    | 记住|记得|别忘|不要忘|牢记|备忘
    | 我(?:们)?(?:叫|姓|是|住|在.{1,12}(?:工作|上班|上学|读书))
    | 我(?:们)?(?:真的|特别|非常|很|最|不|从不|总是|一直|也|还|现在)*
      (?:喜欢|爱|讨厌|恨|习惯|偏好|想要|需要|打算|决定|搬|害怕)
    | 我(?:们)?(?:对\S{1,12}过敏|从不|从来不|总是|一直)
    | 我(?:们)?(?:的|家)?\S{1,12}(?:是|叫|在|住)
    | 以后(?:请|都|不要)|从现在起|从今(?:天|以后)
    """,
    re.VERBOSE | re.IGNORECASE,
)
_REQUEST = re.compile(
    r"^\s*(?:(?:please|and|also)[\s,]+)*(?:memorize|remember|don'?t forget|keep in mind|note(?: down)?|save)"
    r"(?:\s+(?:this|that))?\s*[:,]?(?:\s+|$)|^\s*请?(?:帮我|你)?(?:记住|记下|记得|别忘了?|不要忘记?)[\s:：,，]*",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"[^.!?。！？\n]+(?:[.!?](?=\S)[^.!?。！？\n]+)*[.!?。！？]*")
_ABBREVIATED = re.compile(r"\b(?:Dr|Mr|Mrs|Ms|Prof|St|Mt|Jr|Sr|No|vs|e\.g|i\.e|approx|[A-Z])\.$")
_QUESTION = re.compile(r"[?？][!！]*\s*$|[吗呢]\s*[。.?？!！]*\s*$")
_ASKED = re.compile(r"^\s*(?:do|does|did|can|could|will|would|what|when|where|who|why|how|which)\b", re.IGNORECASE)


def worth_keeping(message: str) -> list[str]:
    """Return the sentences of a user's own words that sound worth keeping, at most three, in their order.

    Questions, commands ("/new") and long pasted texts are left alone. A request to remember is left off: what stays is
    what was to be remembered.
    """
    if len(message) > LONGEST_MESSAGE or message.lstrip().startswith("/"):
        return []
    told: list[str] = []
    asked = False  # by a request that ended before it had said what to remember
    for sentence in _sentences(message):
        rest = _REQUEST.sub("", sentence).strip()
        said = any(char.isalnum() for char in rest)
        if said and not _asks(sentence) and (asked or _TRIGGERS.search(sentence)):
            told.append(rest)
        asked = not said and _TRIGGERS.search(sentence) is not None
    return [each for each in told if SHORTEST <= len(each) <= LONGEST][:MOST]


def _sentences(message: str) -> list[str]:
    whole: list[str] = []
    for part in _SENTENCE.findall(message):
        if whole and _ABBREVIATED.search(whole[-1]):
            whole[-1] += part
        else:
            whole.append(part)
    return whole


def _asks(sentence: str) -> bool:
    return bool(_QUESTION.search(sentence) or _ASKED.match(sentence))

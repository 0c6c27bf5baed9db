"""Finding memories by their words: tokens in English and Chinese, and BM25 over them."""

from ntm_memory_skill.lexical.asking import PLAIN, Asking, asking
from ntm_memory_skill.lexical.bm25 import BM25Index, Match
from ntm_memory_skill.lexical.language import cjk_share
from ntm_memory_skill.lexical.tokens import says_something, tokenize

__all__ = ["PLAIN", "Asking", "BM25Index", "Match", "asking", "cjk_share", "says_something", "tokenize"]

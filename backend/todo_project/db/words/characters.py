"""Which characters separate words, and which scripts write without spaces.

PostgreSQL and Python both use these ranges, so that both find the same words in a text.
"""

from __future__ import annotations

from collections.abc import Sequence

Ranges = Sequence[tuple[int, int]]

# Of longer texts, the rest is not searched: a tsvector holds 1 MiB.
TEXT_LENGTH_MAX = 50_000
# of a longer word, the rest is ignored
WORD_LENGTH_MAX = 40
# What is ignored: accents, and the points of Hebrew and Arabic with the line that lengthens Arabic words. Other
# combining marks are no accents: they are vowels in India and Thailand, and make another letter in Japan.
ACCENTS: Ranges = [
    *((0x300, 0x36F), (0x1AB0, 0x1AFF), (0x1DC0, 0x1DFF)),
    *((0x591, 0x5BD), (0x5BF, 0x5BF), (0x5C1, 0x5C2), (0x5C4, 0x5C5), (0x5C7, 0x5C7)),
    *((0x610, 0x61A), (0x640, 0x640), (0x64B, 0x65F), (0x670, 0x670)),
    *((0x6D6, 0x6DC), (0x6DF, 0x6E4), (0x6E7, 0x6E8), (0x6EA, 0x6ED)),
]
# lower-case letters that decompose into no letter and accent, and what people type instead
ALIKE = {"ς": "σ", "đ": "d", "ø": "o", "ł": "l", "ħ": "h", "ŧ": "t", "ı": "i", "ð": "d"}
ALIKE |= {"ß": "ss", "æ": "ae", "œ": "oe", "þ": "th"}

SEPARATORS: Ranges = [
    *((0x00, 0x2F), (0x3A, 0x40), (0x5B, 0x60), (0x7B, 0xBF), (0xD7, 0xD7), (0xF7, 0xF7)),  # Latin
    *((0x37E, 0x37E), (0x387, 0x387), (0x55A, 0x55F), (0x589, 0x58A)),  # Greek, Armenian
    *((0x5BE, 0x5BE), (0x5F3, 0x5F4), (0x60C, 0x60D), (0x61B, 0x61F), (0x66A, 0x66D), (0x6D4, 0x6D4)),  # Semitic
    *((0x964, 0x965), (0x2000, 0x206F), (0x20A0, 0x20CF), (0x2E00, 0x2E7F)),  # Indic, general, currencies
    *((0x3000, 0x3004), (0x3008, 0x3020), (0x3030, 0x3030), (0x303D, 0x303D)),  # Chinese and Japanese
    *((0x30A0, 0x30A0), (0x30FB, 0x30FB)),
    *((0xFE00, 0xFE6F), (0xFEFF, 0xFEFF), (0xFFF0, 0xFFFF)),  # variants and specials
]
# scripts without spaces between words, and symbols, each of which is like a word
UNSPACED: Ranges = [
    *((0xE00, 0xEFF), (0x1000, 0x109F), (0x1780, 0x17FF)),  # Thai, Lao, Burmese, Khmer
    *((0x2190, 0x2BFF), (0x1F000, 0x1FAFF)),  # arrows, symbols, emoji
    *((0x2E80, 0x2FDF), (0x3005, 0x3007), (0x3021, 0x302F), (0x3031, 0x303C), (0x3040, 0x309F)),
    *((0x30A1, 0x30FA), (0x30FC, 0x312F), (0x31A0, 0x31FF), (0x3400, 0x4DBF), (0x4E00, 0x9FFF)),
    *((0xF900, 0xFAFF), (0x20000, 0x3FFFF)),
]


def character_class(ranges: Ranges) -> str:
    """Return the ranges for a bracket expression, in an escape that Python and PostgreSQL share."""
    return "".join(f"\\U{max(first, 1):08x}-\\U{last:08x}" for first, last in ranges)

"""What words alone say about a turn: whether more comes, and whether they ask for one; pure."""

import unicodedata
from collections.abc import Mapping
from typing import Literal, TypeAlias

Tail: TypeAlias = Literal["whole", "hanging"]


def _any_of(words: str) -> frozenset[str]:
    """Entries with blanks between them, or with bars where they hold blanks."""
    return frozenset(words.split("|") if "|" in words else words.split())


# Words on which nothing ends. Particles that do end commands ("turn it on", "come in", "what
# for") are left out here and listed with what must stand before them below.
_HANGING: Mapping[str, frozenset[str]] = {
    "en": _any_of(
        "a an the and or but nor because if when while that which who whose than as of at "
        "from with into onto to my your his its our their some any every each is are was were "
        "be am will would could should shall may might must um uh er erm set make turn switch "
        "what where tell give show i we very between"
    ),
    "de": _any_of(
        "der die das den dem des ein eine einen einem einer eines und oder aber weil dass "
        "wenn als wie ob mit von vom zu zum zur für bei im am in ist sind war wird kann soll "
        "mein dein sein ihr unser kein nicht sehr äh ähm bitte mach schalte stell was wo "
        "warum ich du wir der"
    ),
    "hi": _any_of("और या लेकिन कि अगर तो का की के को में से पर मेरा मेरी मेरे एक मतलब"),
    "mr": _any_of("आणि किंवा पण की जर तर चा ची चे च्या एक म्हणजे माझा माझी माझे"),
    "bn": _any_of("এবং আর বা কিন্তু যে যদি তাহলে একটা একটি আমার মানে"),
    "gu": _any_of("અને અથવા પણ કે જો તો નો ની નું ના એક મારો મારી મારું એટલે"),
    "ta": _any_of("மற்றும் அல்லது ஆனால் ஒரு என் என்று அப்புறம்"),
    "te": _any_of("మరియు లేదా కానీ ఒక నా అని అంటే"),
    "ml": _any_of("ഒപ്പം അല്ലെങ്കിൽ പക്ഷേ ഒരു എന്റെ എന്ന് അതായത്"),
}
# These end an utterance only behind an object: "turn it on", but not "turn on".
_PARTICLES = _any_of("on off up down in out over for by")
_PARTICLE_VERBS = _any_of("turn switch put set go come")

_ASSENTS: Mapping[str, frozenset[str]] = {
    "en": _any_of(
        "mhm|mm|mmhm|mm hmm|hm|hmm|uh huh|huh|aha|ah|oh|yeah|yep|yes|ok|okay|right|sure|"
        "i see|got it|cool|nice|wow|really"
    ),
    "de": _any_of("mhm|hm|aha|ja|genau|ok|okay|gut|klar|stimmt|ach so|achso|ach"),
    "hi": _any_of("हाँ|हां|हम्म|अच्छा|ठीक है|ठीक|जी|haan|han|accha|theek hai|ji"),
    "mr": _any_of("हो|होय|बरं|ठीक आहे|अच्छा|ho|bara"),
    "bn": _any_of("হ্যাঁ|হুম|আচ্ছা|ঠিক আছে|hyan|achha|thik ache"),
    "gu": _any_of("હા|હં|સારું|બરાબર|ઠીક છે|ha|saru|barabar"),
    "ta": _any_of("ஆமா ஆம் சரி ம்ம் aama sari"),
    "te": _any_of("అవును సరే ఊ avunu sare"),
    "ml": _any_of("അതെ ശരി ഉം athe sari"),
}


_STOPS: Mapping[str, frozenset[str]] = {
    "en": _any_of("stop|no|wait|quiet|enough|cancel|hey|silence|pause|hold on|shut up|be quiet"),
    "de": _any_of("stopp|stop|nein|halt|warte|ruhe|genug|moment|sei still"),
    "hi": _any_of("रुको|रुकिए|बस|नहीं|चुप|ruko|bas|nahin|chup"),
    "mr": _any_of("थांब|थांबा|नाही|बस|thamb|nahi|bas"),
    "bn": _any_of("থামো|থামুন|না|চুপ|thamo|na|chup"),
    "gu": _any_of("રોકો|બસ|ના|ચૂપ|roko|bas|na"),
    "ta": _any_of("நிறுத்து|வேண்டாம்|போதும்|niruthu|vendam|podhum"),
    "te": _any_of("ఆపు|వద్దు|చాలు|aapu|vaddu|chalu"),
    "ml": _any_of("നിർത്ത്|വേണ്ട|മതി|nirthu|venda|mathi"),
}


def normalise(text: str) -> str:
    """The words alone, to tell whether two transcripts say the same."""
    return " ".join(_words(text))


def tail(text: str, language: str) -> Tail:
    """Whether the last words promise more to come. Text of an unknown language counts as whole."""
    if text.rstrip().endswith((",", "-", "–", "…")):
        return "hanging"
    words = _words(text)
    if not words:
        return "hanging"
    last = words[-1]
    if last in _HANGING.get(_root(language), frozenset()):
        return "hanging"
    if _root(language) == "en" and last in _PARTICLES and len(words) <= 2:
        return "hanging" if words[0] in _PARTICLE_VERBS or len(words) == 1 else "whole"
    return "whole"


def is_backchannel(text: str, language: str) -> bool:
    """Whether it says no more than "I am listening"; of English everywhere, and of the language."""
    said = " ".join(_words(text))
    assents = _ASSENTS["en"] | _ASSENTS.get(_root(language), frozenset())
    if said in assents:
        return True
    words = said.split()
    return 0 < len(words) <= 3 and all(word in assents for word in words)


def is_stop(text: str, language: str) -> bool:
    """Whether it is a short word that asks for silence."""
    return " ".join(_words(text)) in _STOPS["en"] | _STOPS.get(_root(language), frozenset())


def _words(text: str) -> list[str]:
    # Vowel signs of the Indian scripts are marks, which \w leaves out: only punctuation goes.
    plain = unicodedata.normalize("NFC", text).casefold()
    kept = (
        c if unicodedata.category(c)[0] in "LMNZ" or c in "'\u200c\u200d" else " " for c in plain
    )
    return "".join(kept).split()


def _root(language: str) -> str:
    return language.partition("_")[0]

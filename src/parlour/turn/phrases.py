"""What the server says when an engine cannot: short, honest, in the language of the house."""

from collections.abc import Mapping
from typing import Literal, TypeAlias, get_args

Trouble: TypeAlias = Literal["cannot_hear", "cannot_answer"]
Phrase: TypeAlias = Literal["cannot_hear", "cannot_answer", "one_moment"]

_PHRASES: Mapping[str, Mapping[Phrase, str]] = {
    "en": {
        "cannot_hear": "Sorry, I cannot hear just now. Please try again in a moment.",
        "cannot_answer": "Sorry, something went wrong. Please try again.",
        "one_moment": "One moment.",
    },
    "de": {
        "cannot_hear": "Entschuldige, ich kann gerade nicht hören. Versuch es bitte gleich noch einmal.",
        "cannot_answer": "Entschuldige, da ist etwas schiefgegangen. Versuch es bitte noch einmal.",
        "one_moment": "Einen Moment.",
    },
    "hi": {
        "cannot_hear": "माफ़ कीजिए, अभी मुझे सुनाई नहीं दे रहा है। कृपया थोड़ी देर में फिर कोशिश कीजिए।",
        "cannot_answer": "माफ़ कीजिए, कुछ गड़बड़ हो गई। कृपया फिर से कोशिश कीजिए।",
        "one_moment": "एक पल।",
    },
    "mr": {
        "cannot_hear": "माफ करा, आत्ता मला ऐकू येत नाही. कृपया थोड्या वेळाने पुन्हा प्रयत्न करा.",
        "cannot_answer": "माफ करा, काहीतरी चूक झाली. कृपया पुन्हा प्रयत्न करा.",
        "one_moment": "एक क्षण.",
    },
    "gu": {
        "cannot_hear": "માફ કરશો, હમણાં મને સંભળાતું નથી. મહેરબાની કરીને થોડી વારમાં ફરી પ્રયત્ન કરો.",
        "cannot_answer": "માફ કરશો, કંઈક ગરબડ થઈ. મહેરબાની કરીને ફરી પ્રયત્ન કરો.",
        "one_moment": "એક ક્ષણ.",
    },
    "bn": {
        "cannot_hear": "দুঃখিত, এখন শুনতে পাচ্ছি না। দয়া করে একটু পরে আবার চেষ্টা করুন।",
        "cannot_answer": "দুঃখিত, কিছু একটা গোলমাল হয়েছে। দয়া করে আবার চেষ্টা করুন।",
        "one_moment": "এক মুহূর্ত।",
    },
    "ta": {
        "cannot_hear": "மன்னிக்கவும், இப்போது என்னால் கேட்க முடியவில்லை. சிறிது நேரத்தில் மீண்டும் முயற்சி செய்யுங்கள்.",
        "cannot_answer": "மன்னிக்கவும், ஏதோ தவறு நடந்துவிட்டது. மீண்டும் முயற்சி செய்யுங்கள்.",
        "one_moment": "ஒரு நிமிடம்.",
    },
    "te": {
        "cannot_hear": "క్షమించండి, ఇప్పుడు నాకు వినపడటం లేదు. దయచేసి కాసేపట్లో మళ్లీ ప్రయత్నించండి.",
        "cannot_answer": "క్షమించండి, ఏదో పొరపాటు జరిగింది. దయచేసి మళ్లీ ప్రయత్నించండి.",
        "one_moment": "ఒక్క క్షణం.",
    },
    "ml": {
        "cannot_hear": "ക്ഷമിക്കണം, ഇപ്പോൾ എനിക്ക് കേൾക്കാൻ കഴിയുന്നില്ല. അല്പം കഴിഞ്ഞ് വീണ്ടും ശ്രമിക്കൂ.",
        "cannot_answer": "ക്ഷമിക്കണം, എന്തോ പിശക് പറ്റി. വീണ്ടും ശ്രമിക്കൂ.",
        "one_moment": "ഒരു നിമിഷം.",
    },
}


def apology(trouble: Trouble, language: str) -> str:
    """The sentence in the language, or in English where we have none yet."""
    return _phrase(trouble, language)


def filler(language: str) -> str:
    """What is said while the answer takes its time."""
    return _phrase("one_moment", language)


def all_phrases(language: str) -> list[str]:
    """Everything above, so that it can be made ready."""
    return [_phrase(phrase, language) for phrase in get_args(Phrase)]


def _phrase(phrase: Phrase, language: str) -> str:
    return _PHRASES.get(language.partition("_")[0], _PHRASES["en"])[phrase]

"""The languages of the house, as their speakers and as English names them."""

from dataclasses import dataclass

from parlour.errors import InputError
from parlour.traits import covers


@dataclass(frozen=True, slots=True)
class Language:
    code: str
    name: str
    native: str
    greeting: str  # a short sentence, to hear what a voice is like


LANGUAGES = {
    language.code: language
    for language in (
        Language("en_US", "English", "English", "Good evening. The kitchen light is on."),
        Language("hi_IN", "Hindi", "हिन्दी", "नमस्ते। रसोई की बत्ती जल रही है।"),
        Language("ml_IN", "Malayalam", "മലയാളം", "നമസ്കാരം. അടുക്കളയിലെ വിളക്ക് കത്തുന്നുണ്ട്."),
        Language("mr_IN", "Marathi", "मराठी", "नमस्कार. स्वयंपाकघरातला दिवा चालू आहे."),
        Language("ta_IN", "Tamil", "தமிழ்", "வணக்கம். சமையலறை விளக்கு எரிகிறது."),
        Language("te_IN", "Telugu", "తెలుగు", "నమస్తే. వంటగది దీపం వెలుగుతోంది."),
        Language("bn_IN", "Bengali", "বাংলা", "নমস্কার। রান্নাঘরের আলো জ্বলছে।"),
        Language("gu_IN", "Gujarati", "ગુજરાતી", "નમસ્તે. રસોડાની લાઇટ ચાલુ છે."),
        Language("de_DE", "German", "Deutsch", "Guten Abend. Das Licht in der Küche ist an."),
    )
}


def find_language(asked: str) -> str:
    """ "hi", "hi-IN" and "hi_IN" name the language of the house that they mean; InputError for
    one that it has not."""
    plain = asked.replace("-", "_").lower()
    found = [code for code in LANGUAGES if code.lower() == plain]
    found = found or [code for code in LANGUAGES if covers(code, plain)]
    if not found:
        raise InputError(f"{asked} is none of the house's languages: {', '.join(LANGUAGES)}")
    return found[0]

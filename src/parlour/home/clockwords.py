"""What timers and alarms say when they ring, in nine languages."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import time

from parlour.home.timers import spoken

Forms = tuple[str, str]  # of one, and of several


@dataclass(frozen=True, slots=True)
class _Words:
    """`{name}`, `{span}` ("10 minutes"), `{ago}` ("3 minutes ago") and `{time}` are filled in."""

    units: tuple[Forms, Forms, Forms]  # hours, minutes, seconds: "{n} minutes"
    ago: tuple[Forms, Forms, Forms]
    and_: str
    timer_up: Forms  # unnamed and named
    timer_ended: Forms
    timer_missed: Forms
    alarm: Forms
    alarm_ended: Forms
    alarm_missed: Forms
    clock: Forms = ("{hour}", "{hour}:{minute:02}")  # on the hour, and else
    dial: int = 12  # hours on the clock that people speak of


def timer_up(language: str, name: str, seconds: int) -> str:
    """A timer is due; `seconds` is how long it was set for."""
    words = _words(language)
    return _named(words.timer_up, name).format(name=name, span=span(language, seconds))


def timer_ended(language: str, name: str, ago_s: float) -> str:
    """A timer was due a while ago, and could not ring until now."""
    words = _words(language)
    return _named(words.timer_ended, name).format(name=name, ago=_ago(words, ago_s))


def timer_missed(language: str, name: str, at: time) -> str:
    """A timer was due so long ago that to ring is no use any more."""
    words = _words(language)
    return _named(words.timer_missed, name).format(name=name, time=_clock(words, at))


def alarm_rings(language: str, name: str, at: time) -> str:
    """An alarm is due, and it is now `at`."""
    words = _words(language)
    return _named(words.alarm, name).format(name=name, time=_clock(words, at))


def alarm_ended(language: str, name: str, at: time, ago_s: float) -> str:
    """An alarm for `at` could not ring until now."""
    words = _words(language)
    text = _named(words.alarm_ended, name)
    return text.format(name=name, time=_clock(words, at), ago=_ago(words, ago_s))


def alarm_missed(language: str, name: str, at: time) -> str:
    """An alarm for `at` was due so long ago that to ring is no use any more."""
    words = _words(language)
    return _named(words.alarm_missed, name).format(name=name, time=_clock(words, at))


def span(language: str, seconds: int) -> str:
    """How long something takes: "one hour and five minutes", "10 Minuten"."""
    words, parts = _words(language), []
    if words is _EN:
        return spoken(seconds)
    for size, forms in zip((3600, 60, 1), words.units, strict=True):
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(forms[count != 1].format(n=count))
    if not parts:
        return words.units[2][1].format(n=0)
    return words.and_.join(filter(None, (", ".join(parts[:-1]), parts[-1])))


def _ago(words: _Words, ago_s: float) -> str:
    """In the largest unit that makes one at least."""
    size, forms = next(
        (size, forms)
        for size, forms in zip((3600, 60, 1), words.ago, strict=True)
        if round(ago_s) >= size or size == 1
    )
    count = max(1, round(ago_s / size))
    number = spoken(count * size).split(" ")[0] if words is _EN and count < 20 else count
    return forms[count != 1].format(n=number)


def _clock(words: _Words, at: time) -> str:
    hour = at.hour if words.dial == 24 else at.hour % 12 or 12
    return words.clock[at.minute != 0].format(hour=hour, minute=at.minute)


def _named(forms: Forms, name: str) -> str:
    return forms[bool(name)]


def _code(language: str) -> str:
    return language.partition("_")[0].lower()


def _words(language: str) -> _Words:
    """Those of the language, or English where we have none yet."""
    return _WORDS.get(_code(language), _EN)


_EN = _Words(
    units=(("", ""), ("", ""), ("", "")),
    ago=(
        ("{n} hour ago", "{n} hours ago"),
        ("{n} minute ago", "{n} minutes ago"),
        ("{n} second ago", "{n} seconds ago"),
    ),
    and_=" and ",
    timer_up=("The timer is up: {span}.", "The {name} timer is up: {span}."),
    timer_ended=("The timer ended {ago}.", "The {name} timer ended {ago}."),
    timer_missed=(
        "A timer ended at {time}, and I could not tell you.",
        "The {name} timer ended at {time}, and I could not tell you.",
    ),
    alarm=("It is {time}. This is your alarm.", "It is {time}. This is your alarm: {name}."),
    alarm_ended=(
        "Your alarm for {time} was due {ago}.",
        "Your {name} alarm for {time} was due {ago}.",
    ),
    alarm_missed=(
        "You had an alarm for {time}, and I could not ring.",
        "You had the {name} alarm for {time}, and I could not ring.",
    ),
    clock=("{hour} o'clock", "{hour}:{minute:02}"),
)

_WORDS: Mapping[str, _Words] = {
    "en": _EN,
    "de": _Words(
        units=(
            ("eine Stunde", "{n} Stunden"),
            ("eine Minute", "{n} Minuten"),
            ("eine Sekunde", "{n} Sekunden"),
        ),
        ago=(
            ("vor einer Stunde", "vor {n} Stunden"),
            ("vor einer Minute", "vor {n} Minuten"),
            ("vor einer Sekunde", "vor {n} Sekunden"),
        ),
        and_=" und ",
        timer_up=(
            "Der Timer ist abgelaufen: {span}.",
            "Der Timer für {name} ist abgelaufen: {span}.",
        ),
        timer_ended=(
            "Der Timer ist {ago} abgelaufen.",
            "Der Timer für {name} ist {ago} abgelaufen.",
        ),
        timer_missed=(
            "Um {time} ist ein Timer abgelaufen, und ich konnte nicht Bescheid sagen.",
            "Um {time} ist der Timer für {name} abgelaufen, und ich konnte nicht Bescheid sagen.",
        ),
        alarm=("Es ist {time}. Das ist dein Wecker.", "Es ist {time}. Dein Wecker: {name}."),
        alarm_ended=(
            "Dein Wecker für {time} war {ago} fällig.",
            "Dein Wecker {name} für {time} war {ago} fällig.",
        ),
        alarm_missed=(
            "Um {time} sollte dein Wecker klingeln, und ich konnte nicht.",
            "Um {time} sollte dein Wecker {name} klingeln, und ich konnte nicht.",
        ),
        clock=("{hour} Uhr", "{hour} Uhr {minute}"),
        dial=24,
    ),
    "hi": _Words(
        units=(("{n} घंटा", "{n} घंटे"), ("{n} मिनट", "{n} मिनट"), ("{n} सेकंड", "{n} सेकंड")),
        ago=(
            ("{n} घंटे पहले", "{n} घंटे पहले"),
            ("{n} मिनट पहले", "{n} मिनट पहले"),
            ("{n} सेकंड पहले", "{n} सेकंड पहले"),
        ),
        and_=" और ",
        timer_up=("टाइमर पूरा हो गया: {span}।", "{name} का टाइमर पूरा हो गया: {span}।"),
        timer_ended=("टाइमर {ago} पूरा हो गया था।", "{name} का टाइमर {ago} पूरा हो गया था।"),
        timer_missed=(
            "एक टाइमर {time} बजे पूरा हुआ था, मैं बता नहीं पाया।",
            "{name} का टाइमर {time} बजे पूरा हुआ था, मैं बता नहीं पाया।",
        ),
        alarm=("{time} बज गए हैं। आपका अलार्म बज रहा है।", "{time} बज गए हैं। आपका अलार्म: {name}।"),
        alarm_ended=(
            "आपका {time} बजे का अलार्म {ago} बजना था।",
            "{name} के लिए आपका {time} बजे का अलार्म {ago} बजना था।",
        ),
        alarm_missed=(
            "आपका {time} बजे का अलार्म था, मैं बजा नहीं पाया।",
            "{name} के लिए आपका {time} बजे का अलार्म था, मैं बजा नहीं पाया।",
        ),
    ),
    "ml": _Words(
        units=(
            ("{n} മണിക്കൂർ", "{n} മണിക്കൂർ"),
            ("{n} മിനിറ്റ്", "{n} മിനിറ്റ്"),
            ("{n} സെക്കൻഡ്", "{n} സെക്കൻഡ്"),
        ),
        ago=(
            ("{n} മണിക്കൂർ മുമ്പ്", "{n} മണിക്കൂർ മുമ്പ്"),
            ("{n} മിനിറ്റ് മുമ്പ്", "{n} മിനിറ്റ് മുമ്പ്"),
            ("{n} സെക്കൻഡ് മുമ്പ്", "{n} സെക്കൻഡ് മുമ്പ്"),
        ),
        and_=", ",
        timer_up=("ടൈമർ കഴിഞ്ഞു: {span}.", "{name} ടൈമർ കഴിഞ്ഞു: {span}."),
        timer_ended=("ടൈമർ {ago} കഴിഞ്ഞിരുന്നു.", "{name} ടൈമർ {ago} കഴിഞ്ഞിരുന്നു."),
        timer_missed=(
            "{time} മണിക്ക് ഒരു ടൈമർ കഴിഞ്ഞിരുന്നു, എനിക്ക് അറിയിക്കാനായില്ല.",
            "{time} മണിക്ക് {name} ടൈമർ കഴിഞ്ഞിരുന്നു, എനിക്ക് അറിയിക്കാനായില്ല.",
        ),
        alarm=("സമയം {time}. ഇത് നിങ്ങളുടെ അലാറമാണ്.", "സമയം {time}. നിങ്ങളുടെ അലാറം: {name}."),
        alarm_ended=(
            "{time} മണിക്കുള്ള നിങ്ങളുടെ അലാറം {ago} അടിക്കേണ്ടതായിരുന്നു.",
            "{time} മണിക്കുള്ള {name} അലാറം {ago} അടിക്കേണ്ടതായിരുന്നു.",
        ),
        alarm_missed=(
            "{time} മണിക്ക് നിങ്ങൾക്ക് ഒരു അലാറം ഉണ്ടായിരുന്നു, എനിക്ക് അടിക്കാനായില്ല.",
            "{time} മണിക്ക് {name} അലാറം ഉണ്ടായിരുന്നു, എനിക്ക് അടിക്കാനായില്ല.",
        ),
    ),
    "mr": _Words(
        units=(("{n} तास", "{n} तास"), ("{n} मिनिट", "{n} मिनिटे"), ("{n} सेकंद", "{n} सेकंद")),
        ago=(
            ("{n} तासापूर्वी", "{n} तासांपूर्वी"),
            ("{n} मिनिटापूर्वी", "{n} मिनिटांपूर्वी"),
            ("{n} सेकंदापूर्वी", "{n} सेकंदांपूर्वी"),
        ),
        and_=" आणि ",
        timer_up=("टायमर संपला: {span}.", "{name} चा टायमर संपला: {span}."),
        timer_ended=("टायमर {ago} संपला.", "{name} चा टायमर {ago} संपला."),
        timer_missed=(
            "एक टायमर {time} वाजता संपला, मला सांगता आले नाही.",
            "{name} चा टायमर {time} वाजता संपला, मला सांगता आले नाही.",
        ),
        alarm=("{time} वाजले आहेत. हा तुमचा गजर आहे.", "{time} वाजले आहेत. तुमचा गजर: {name}."),
        alarm_ended=(
            "तुमचा {time} वाजताचा गजर {ago} वाजायला हवा होता.",
            "{name} साठीचा तुमचा {time} वाजताचा गजर {ago} वाजायला हवा होता.",
        ),
        alarm_missed=(
            "तुमचा {time} वाजताचा गजर होता, मला तो वाजवता आला नाही.",
            "{name} साठी तुमचा {time} वाजताचा गजर होता, मला तो वाजवता आला नाही.",
        ),
    ),
    "ta": _Words(
        units=(
            ("{n} மணி நேரம்", "{n} மணி நேரம்"),
            ("{n} நிமிடம்", "{n} நிமிடங்கள்"),
            ("{n} விநாடி", "{n} விநாடிகள்"),
        ),
        ago=(
            ("{n} மணி நேரத்துக்கு முன்பு", "{n} மணி நேரத்துக்கு முன்பு"),
            ("{n} நிமிடத்துக்கு முன்பு", "{n} நிமிடங்களுக்கு முன்பு"),
            ("{n} விநாடிக்கு முன்பு", "{n} விநாடிகளுக்கு முன்பு"),
        ),
        and_=", ",
        timer_up=("டைமர் முடிந்தது: {span}.", "{name} டைமர் முடிந்தது: {span}."),
        timer_ended=("டைமர் {ago} முடிந்துவிட்டது.", "{name} டைமர் {ago} முடிந்துவிட்டது."),
        timer_missed=(
            "{time} மணிக்கு ஒரு டைமர் முடிந்தது, என்னால் சொல்ல முடியவில்லை.",
            "{time} மணிக்கு {name} டைமர் முடிந்தது, என்னால் சொல்ல முடியவில்லை.",
        ),
        alarm=("மணி {time}. இது உங்கள் அலாரம்.", "மணி {time}. உங்கள் அலாரம்: {name}."),
        alarm_ended=(
            "உங்கள் {time} மணி அலாரம் {ago} ஒலித்திருக்க வேண்டும்.",
            "உங்கள் {time} மணி {name} அலாரம் {ago} ஒலித்திருக்க வேண்டும்.",
        ),
        alarm_missed=(
            "{time} மணிக்கு உங்களுக்கு அலாரம் இருந்தது, என்னால் ஒலிக்க முடியவில்லை.",
            "{time} மணிக்கு {name} அலாரம் இருந்தது, என்னால் ஒலிக்க முடியவில்லை.",
        ),
    ),
    "te": _Words(
        units=(
            ("{n} గంట", "{n} గంటలు"),
            ("{n} నిమిషం", "{n} నిమిషాలు"),
            ("{n} సెకను", "{n} సెకన్లు"),
        ),
        ago=(
            ("{n} గంట క్రితం", "{n} గంటల క్రితం"),
            ("{n} నిమిషం క్రితం", "{n} నిమిషాల క్రితం"),
            ("{n} సెకను క్రితం", "{n} సెకన్ల క్రితం"),
        ),
        and_=", ",
        timer_up=("టైమర్ పూర్తయింది: {span}.", "{name} టైమర్ పూర్తయింది: {span}."),
        timer_ended=("టైమర్ {ago} పూర్తయింది.", "{name} టైమర్ {ago} పూర్తయింది."),
        timer_missed=(
            "{time} గంటలకు ఒక టైమర్ పూర్తయింది, నేను చెప్పలేకపోయాను.",
            "{time} గంటలకు {name} టైమర్ పూర్తయింది, నేను చెప్పలేకపోయాను.",
        ),
        alarm=("సమయం {time}. ఇది మీ అలారం.", "సమయం {time}. మీ అలారం: {name}."),
        alarm_ended=(
            "మీ {time} గంటల అలారం {ago} మోగాల్సింది.",
            "మీ {time} గంటల {name} అలారం {ago} మోగాల్సింది.",
        ),
        alarm_missed=(
            "{time} గంటలకు మీకు అలారం ఉంది, నేను మోగించలేకపోయాను.",
            "{time} గంటలకు మీకు {name} అలారం ఉంది, నేను మోగించలేకపోయాను.",
        ),
    ),
    "bn": _Words(
        units=(
            ("{n} ঘণ্টা", "{n} ঘণ্টা"),
            ("{n} মিনিট", "{n} মিনিট"),
            ("{n} সেকেন্ড", "{n} সেকেন্ড"),
        ),
        ago=(
            ("{n} ঘণ্টা আগে", "{n} ঘণ্টা আগে"),
            ("{n} মিনিট আগে", "{n} মিনিট আগে"),
            ("{n} সেকেন্ড আগে", "{n} সেকেন্ড আগে"),
        ),
        and_=" ",
        timer_up=("টাইমার শেষ হয়েছে: {span}।", "{name}-এর টাইমার শেষ হয়েছে: {span}।"),
        timer_ended=("টাইমার {ago} শেষ হয়েছে।", "{name}-এর টাইমার {ago} শেষ হয়েছে।"),
        timer_missed=(
            "একটা টাইমার {time} সময় শেষ হয়েছিল, আমি জানাতে পারিনি।",
            "{name}-এর টাইমার {time} সময় শেষ হয়েছিল, আমি জানাতে পারিনি।",
        ),
        alarm=("এখন {time} বাজে। এটা আপনার অ্যালার্ম।", "এখন {time} বাজে। আপনার অ্যালার্ম: {name}।"),
        alarm_ended=(
            "আপনার {time} সময়ের অ্যালার্ম {ago} বাজার কথা ছিল।",
            "{name}-এর জন্য আপনার {time} সময়ের অ্যালার্ম {ago} বাজার কথা ছিল।",
        ),
        alarm_missed=(
            "আপনার {time} সময় অ্যালার্ম ছিল, আমি বাজাতে পারিনি।",
            "{name}-এর জন্য আপনার {time} সময় অ্যালার্ম ছিল, আমি বাজাতে পারিনি।",
        ),
        clock=("{hour}টা", "{hour}টা {minute} মিনিট"),
    ),
    "gu": _Words(
        units=(("{n} કલાક", "{n} કલાક"), ("{n} મિનિટ", "{n} મિનિટ"), ("{n} સેકન્ડ", "{n} સેકન્ડ")),
        ago=(
            ("{n} કલાક પહેલાં", "{n} કલાક પહેલાં"),
            ("{n} મિનિટ પહેલાં", "{n} મિનિટ પહેલાં"),
            ("{n} સેકન્ડ પહેલાં", "{n} સેકન્ડ પહેલાં"),
        ),
        and_=" અને ",
        timer_up=("ટાઇમર પૂરું થયું: {span}.", "{name} માટેનું ટાઇમર પૂરું થયું: {span}."),
        timer_ended=("ટાઇમર {ago} પૂરું થયું.", "{name} માટેનું ટાઇમર {ago} પૂરું થયું."),
        timer_missed=(
            "એક ટાઇમર {time} વાગ્યે પૂરું થયું, હું કહી ન શક્યો.",
            "{name} માટેનું ટાઇમર {time} વાગ્યે પૂરું થયું, હું કહી ન શક્યો.",
        ),
        alarm=("{time} વાગ્યા છે. આ તમારું અલાર્મ છે.", "{time} વાગ્યા છે. તમારું અલાર્મ: {name}."),
        alarm_ended=(
            "તમારું {time} વાગ્યાનું અલાર્મ {ago} વાગવાનું હતું.",
            "{name} માટે તમારું {time} વાગ્યાનું અલાર્મ {ago} વાગવાનું હતું.",
        ),
        alarm_missed=(
            "તમારું {time} વાગ્યાનું અલાર્મ હતું, હું વગાડી ન શક્યો.",
            "{name} માટે તમારું {time} વાગ્યાનું અલાર્મ હતું, હું વગાડી ન શક્યો.",
        ),
    ),
}
LANGUAGES = tuple(_WORDS)

"""What the agent says of its own accord, in every language of the house."""

from typing import Literal, TypeAlias

Key: TypeAlias = Literal[
    "no_model",  # only a language model would know, and there is none
    "cannot",  # the model does not answer
    "broke_off",  # it fell silent within its answer
    "nothing",  # it answered with nothing, twice
    "could_not",  # a tool failed, or was called wrongly twice
    "too_many",  # it called and called
    "looking",  # a tool takes long
    "left_alone",  # the answer to a question was no
    "untrusted",  # it has just read what somebody else wrote, and wanted to act on it
    "doubt",  # it has read such a text before
]

_PHRASES: dict[Key, dict[str, str]] = {
    "no_model": {
        "en": "I can only help with the home: no language model is set up.",
        "de": "Ich kann nur beim Haus helfen: Es ist kein Sprachmodell eingerichtet.",
        "hi": "मुझसे सिर्फ़ घर के काम हो सकते हैं: कोई भाषा मॉडल सेट नहीं किया गया है।",
        "mr": "मला फक्त घरातल्या कामांत मदत करता येते: भाषा मॉडेल सेट केलेले नाही.",
        "gu": "હું ફક્ત ઘરનાં કામમાં મદદ કરી શકું છું: કોઈ ભાષા મોડેલ સેટ કરેલું નથી.",
        "bn": "আমি শুধু বাড়ির কাজে সাহায্য করতে পারি: কোনো ভাষা মডেল সেট করা নেই।",
        "ta": "வீட்டு வேலைகளில் மட்டுமே என்னால் உதவ முடியும்: மொழி மாடல் எதுவும் அமைக்கப்படவில்லை.",
        "te": "ఇంటి పనుల్లో మాత్రమే సహాయం చేయగలను: భాషా మోడల్ ఏదీ సెట్ చేయలేదు.",
        "ml": "വീട്ടുകാര്യങ്ങളിൽ മാത്രമേ എനിക്ക് സഹായിക്കാൻ കഴിയൂ: ഭാഷാ മോഡൽ ഒന്നും സെറ്റ് ചെയ്തിട്ടില്ല.",
    },
    "cannot": {
        "en": "Sorry, my language model does not answer just now.",
        "de": "Mein Sprachmodell antwortet gerade leider nicht.",
        "hi": "माफ़ कीजिए, मेरा भाषा मॉडल अभी जवाब नहीं दे रहा है।",
        "mr": "माफ करा, माझे भाषा मॉडेल आत्ता उत्तर देत नाही.",
        "gu": "માફ કરશો, મારું ભાષા મોડેલ અત્યારે જવાબ આપતું નથી.",
        "bn": "দুঃখিত, আমার ভাষা মডেল এখন সাড়া দিচ্ছে না।",
        "ta": "மன்னிக்கவும், என் மொழி மாடல் இப்போது பதில் தரவில்லை.",
        "te": "క్షమించండి, నా భాషా మోడల్ ఇప్పుడు స్పందించడం లేదు.",
        "ml": "ക്ഷമിക്കണം, എന്റെ ഭാഷാ മോഡൽ ഇപ്പോൾ മറുപടി തരുന്നില്ല.",
    },
    "broke_off": {
        "en": "Sorry, I lost the thread.",
        "de": "Entschuldigung, ich habe den Faden verloren.",
        "hi": "माफ़ कीजिए, बात बीच में ही टूट गई।",
        "mr": "माफ करा, बोलणे मध्येच तुटले.",
        "gu": "માફ કરશો, વાત વચ્ચે જ અટકી ગઈ.",
        "bn": "দুঃখিত, কথাটা মাঝপথে থেমে গেল।",
        "ta": "மன்னிக்கவும், பேச்சு பாதியில் நின்றுவிட்டது.",
        "te": "క్షమించండి, మాట మధ్యలో ఆగిపోయింది.",
        "ml": "ക്ഷമിക്കണം, സംസാരം ഇടയ്ക്ക് മുറിഞ്ഞുപോയി.",
    },
    "nothing": {
        "en": "I have no answer to that.",
        "de": "Darauf habe ich keine Antwort.",
        "hi": "इसका जवाब मेरे पास नहीं है।",
        "mr": "याचे उत्तर माझ्याकडे नाही.",
        "gu": "આનો જવાબ મારી પાસે નથી.",
        "bn": "এর উত্তর আমার কাছে নেই।",
        "ta": "அதற்கு என்னிடம் பதில் இல்லை.",
        "te": "దానికి నా దగ్గర సమాధానం లేదు.",
        "ml": "അതിന് എന്റെ കൈയിൽ ഉത്തരമില്ല.",
    },
    "could_not": {
        "en": "I could not do that.",
        "de": "Das konnte ich nicht erledigen.",
        "hi": "यह मुझसे नहीं हो पाया।",
        "mr": "हे मला जमले नाही.",
        "gu": "આ મારાથી ન થઈ શક્યું.",
        "bn": "এটা আমি করতে পারিনি।",
        "ta": "அதை என்னால் செய்ய முடியவில்லை.",
        "te": "అది నేను చేయలేకపోయాను.",
        "ml": "അത് എനിക്ക് ചെയ്യാൻ കഴിഞ്ഞില്ല.",
    },
    "too_many": {
        "en": "That took me too many steps, so I stopped.",
        "de": "Das brauchte zu viele Schritte, deshalb habe ich aufgehört.",
        "hi": "इसमें बहुत ज़्यादा क़दम लग रहे थे, इसलिए काम रोक दिया गया।",
        "mr": "यात खूप पायऱ्या लागत होत्या, म्हणून काम थांबवले.",
        "gu": "આમાં ઘણાં પગલાં લાગતાં હતાં, એટલે કામ અટકાવ્યું.",
        "bn": "এতে অনেক ধাপ লাগছিল, তাই থেমে গেছি।",
        "ta": "அதற்கு நிறைய படிகள் தேவைப்பட்டதால் நிறுத்திவிட்டேன்.",
        "te": "దానికి చాలా దశలు పట్టాయి, అందుకే ఆపేశాను.",
        "ml": "അതിന് ഒരുപാട് ഘട്ടങ്ങൾ വേണ്ടിവന്നതുകൊണ്ട് ഞാൻ നിർത്തി.",
    },
    "looking": {
        "en": "I'm still looking.",
        "de": "Ich suche noch.",
        "hi": "अभी देख रहे हैं।",
        "mr": "अजून बघणे चालू आहे.",
        "gu": "હજી જોઈએ છીએ.",
        "bn": "এখনও দেখছি।",
        "ta": "இன்னும் பார்க்கிறேன்.",
        "te": "ఇంకా చూస్తున్నాను.",
        "ml": "ഇപ്പോഴും നോക്കുകയാണ്.",
    },
    "left_alone": {
        "en": "All right, I leave it.",
        "de": "In Ordnung, ich lasse es.",
        "hi": "ठीक है, रहने देते हैं।",
        "mr": "ठीक आहे, राहू दे.",
        "gu": "સારું, રહેવા દઈએ.",
        "bn": "ঠিক আছে, থাক।",
        "ta": "சரி, விட்டுவிடுகிறேன்.",
        "te": "సరే, వదిలేస్తున్నాను.",
        "ml": "ശരി, വേണ്ടെന്നു വയ്ക്കുന്നു.",
    },
    "untrusted": {
        "en": "I have just read what somebody else wrote, so I don't do that. Please ask me again.",
        "de": "Ich habe gerade einen fremden Text gelesen und tue das deshalb nicht. Bitte frag noch einmal.",
        "hi": "अभी-अभी किसी और का लिखा पढ़ा गया है, इसलिए यह नहीं किया। कृपया फिर से कहिए।",
        "mr": "आत्ताच दुसऱ्या कुणीतरी लिहिलेले वाचले, म्हणून हे केले नाही. कृपया पुन्हा सांगा.",
        "gu": "હમણાં જ બીજા કોઈનું લખેલું વાંચ્યું, એટલે આ કર્યું નથી. કૃપા કરીને ફરી કહો.",
        "bn": "এইমাত্র অন্য কারও লেখা পড়েছি, তাই এটা করিনি। দয়া করে আবার বলুন।",
        "ta": "இப்போதுதான் வேறொருவர் எழுதியதைப் படித்தேன், அதனால் இதைச் செய்யவில்லை. மீண்டும் சொல்லுங்கள்.",
        "te": "ఇప్పుడే వేరొకరు రాసింది చదివాను, అందుకే ఇది చేయలేదు. దయచేసి మళ్లీ చెప్పండి.",
        "ml": "ഇപ്പോൾ മറ്റൊരാൾ എഴുതിയത് വായിച്ചതുകൊണ്ട് ഇത് ചെയ്തില്ല. ദയവായി വീണ്ടും പറയൂ.",
    },
    "doubt": {
        "en": "Shall I really do that: {what}?",
        "de": "Soll ich das wirklich tun: {what}?",
        "hi": "क्या सच में यह करना है: {what}?",
        "mr": "हे खरंच करायचे का: {what}?",
        "gu": "શું ખરેખર આ કરવું છે: {what}?",
        "bn": "সত্যিই কি এটা করব: {what}?",
        "ta": "இதை நிஜமாகவே செய்யட்டுமா: {what}?",
        "te": "నిజంగా ఇది చేయాలా: {what}?",
        "ml": "ഇത് ശരിക്കും ചെയ്യട്ടെ: {what}?",
    },
}


def phrase(key: Key, language: str, **words: str) -> str:
    """The sentence in a language such as "hi" or "de_DE"; English where there is none."""
    by_language = _PHRASES[key]
    return by_language.get(language[:2], by_language["en"]).format(**words)


def no_model(language: str) -> str:
    """What is said where only a language model would know an answer, and there is none."""
    return phrase("no_model", language)

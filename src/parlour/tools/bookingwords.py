"""What is asked and said about bookings, in nine languages."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from parlour.tools.spokentime import code_of


@dataclass(frozen=True, slots=True)
class Words:
    """`{when}` is a day and a time with their prepositions or endings, `{slots}` some of them."""

    book: str
    booked: str
    taken: str
    all_taken: str
    cancel: str
    cancelled: str
    too_late: str
    or_: str

    def either(self, parts: Sequence[str]) -> str:
        if len(parts) < 2:
            return "".join(parts)
        return f"{', '.join(parts[:-1])}{self.or_}{parts[-1]}"


def words(language: str) -> Words:
    return _WORDS[code_of(language)]


_WORDS: Mapping[str, Words] = {
    "en": Words(
        book="Shall I book the {service} {when} for {name}?",
        booked="The {service} is booked {when} for {name}.",
        taken="That time has just gone. There is room {slots}. Which one would you like?",
        all_taken="That time has just gone, and I found no other.",
        cancel="Shall I cancel the {service} {when}?",
        cancelled="The {service} {when} is cancelled.",
        too_late="It is too late for me to cancel that.",
        or_=" or ",
    ),
    "de": Words(
        book="Soll ich {service} {when} auf den Namen {name} buchen?",
        booked="{service} ist {when} auf den Namen {name} gebucht.",
        taken="Diese Zeit ist gerade vergeben worden. Frei ist noch {slots}. Was möchtest du?",
        all_taken="Diese Zeit ist gerade vergeben worden, und eine andere habe ich nicht gefunden.",
        cancel="Soll ich {service} {when} absagen?",
        cancelled="{service} {when} ist abgesagt.",
        too_late="Um das abzusagen, ist es zu spät.",
        or_=" oder ",
    ),
    "hi": Words(
        book="क्या मैं {when} {service} की बुकिंग {name} के नाम से कर दूँ?",
        booked="{when} {service} की बुकिंग {name} के नाम से हो गई है।",
        taken="वह समय अभी-अभी भर गया। {slots} जगह खाली है। आपको कौन सा समय चाहिए?",
        all_taken="वह समय अभी-अभी भर गया, और कोई दूसरा समय नहीं मिला।",
        cancel="क्या मैं {when} {service} की बुकिंग रद्द कर दूँ?",
        cancelled="{when} {service} की बुकिंग रद्द हो गई है।",
        too_late="उसे रद्द करने के लिए अब बहुत देर हो चुकी है।",
        or_=" या ",
    ),
    "mr": Words(
        book="मी {when} {service} चे बुकिंग {name} यांच्या नावाने करू का?",
        booked="{when} {service} चे बुकिंग {name} यांच्या नावाने झाले आहे.",
        taken="ती वेळ आत्ताच गेली. {slots} जागा आहे. तुम्हाला कोणती वेळ हवी?",
        all_taken="ती वेळ आत्ताच गेली, आणि दुसरी वेळ मिळाली नाही.",
        cancel="मी {when} {service} चे बुकिंग रद्द करू का?",
        cancelled="{when} {service} चे बुकिंग रद्द झाले आहे.",
        too_late="ते रद्द करायला आता खूप उशीर झाला आहे.",
        or_=" किंवा ",
    ),
    "gu": Words(
        book="શું હું {when} {service} નું બુકિંગ {name} ના નામે કરું?",
        booked="{when} {service} નું બુકિંગ {name} ના નામે થઈ ગયું છે.",
        taken="એ સમય હમણાં જ ભરાઈ ગયો. {slots} જગ્યા છે. તમને કયો સમય જોઈએ?",
        all_taken="એ સમય હમણાં જ ભરાઈ ગયો, અને બીજો સમય મળ્યો નથી.",
        cancel="શું હું {when} {service} નું બુકિંગ રદ કરું?",
        cancelled="{when} {service} નું બુકિંગ રદ થઈ ગયું છે.",
        too_late="એને રદ કરવા માટે હવે ઘણું મોડું થઈ ગયું છે.",
        or_=" અથવા ",
    ),
    "bn": Words(
        book="আমি কি {when} {name}-এর নামে {service} বুক করব?",
        booked="{when} {name}-এর নামে {service} বুক হয়ে গেছে।",
        taken="ওই সময়টা এইমাত্র চলে গেছে। {slots} জায়গা আছে। আপনার কোনটা চাই?",
        all_taken="ওই সময়টা এইমাত্র চলে গেছে, আর অন্য কোনো সময় পেলাম না।",
        cancel="আমি কি {when} {service}-এর বুকিং বাতিল করব?",
        cancelled="{when} {service}-এর বুকিং বাতিল হয়েছে।",
        too_late="ওটা বাতিল করার সময় পেরিয়ে গেছে।",
        or_=" বা ",
    ),
    "ta": Words(
        book="{when} {name} பெயரில் {service} பதிவு செய்யட்டுமா?",
        booked="{when} {name} பெயரில் {service} பதிவாகிவிட்டது.",
        taken="அந்த நேரம் இப்போதுதான் போய்விட்டது. {slots} இடம் இருக்கிறது. எது வேண்டும்?",
        all_taken="அந்த நேரம் இப்போதுதான் போய்விட்டது, வேறு நேரம் கிடைக்கவில்லை.",
        cancel="{when} உள்ள {service} பதிவை ரத்து செய்யட்டுமா?",
        cancelled="{when} இருந்த {service} பதிவு ரத்தாகிவிட்டது.",
        too_late="அதை ரத்து செய்வதற்கான நேரம் கடந்துவிட்டது.",
        or_=" அல்லது ",
    ),
    "te": Words(
        book="{when} {name} పేరుతో {service} బుక్ చేయనా?",
        booked="{when} {name} పేరుతో {service} బుక్ అయింది.",
        taken="ఆ సమయం ఇప్పుడే పోయింది. {slots} ఖాళీ ఉంది. మీకు ఏది కావాలి?",
        all_taken="ఆ సమయం ఇప్పుడే పోయింది, వేరే సమయం దొరకలేదు.",
        cancel="{when} ఉన్న {service} బుకింగ్‌ను రద్దు చేయనా?",
        cancelled="{when} ఉన్న {service} బుకింగ్ రద్దయింది.",
        too_late="దాన్ని రద్దు చేసే సమయం దాటిపోయింది.",
        or_=" లేదా ",
    ),
    "ml": Words(
        book="{when} {name} എന്ന പേരിൽ {service} ബുക്ക് ചെയ്യട്ടെ?",
        booked="{when} {name} എന്ന പേരിൽ {service} ബുക്ക് ചെയ്തു.",
        taken="ആ സമയം ഇപ്പോൾ പോയി. {slots} ഒഴിവുണ്ട്. ഏതു വേണം?",
        all_taken="ആ സമയം ഇപ്പോൾ പോയി, വേറെ സമയം കിട്ടിയില്ല.",
        cancel="{when} ഉള്ള {service} ബുക്കിങ് റദ്ദാക്കട്ടെ?",
        cancelled="{when} ഉള്ള {service} ബുക്കിങ് റദ്ദാക്കി.",
        too_late="അതു റദ്ദാക്കാനുള്ള സമയം കഴിഞ്ഞു.",
        or_=" അല്ലെങ്കിൽ ",
    ),
}

"""Which fact is meant, in nine languages."""

import time

import pytest

from parlour.agent.memory.facts import ENOUGH
from parlour.agent.memory.words import normal, ranked

HOUSE = [
    "The spare key is under the flower pot.",
    "Anna is allergic to peanuts.",
    "The bin is emptied on Tuesday.",
    "Ben's birthday is on the third of May.",
    "The wifi password is sunflower.",
]


def _best(query: str, texts: list[str]) -> str | None:
    fits = ranked(query, texts)
    best = max(range(len(texts)), key=fits.__getitem__)
    return texts[best] if fits[best] > ENOUGH else None


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ("where are the spare keys", 0),
        ("flowerpot", 0),
        ("what allergies does Anna have", 1),
        ("is there anybody with a peanut allergy", 1),
        ("when do the bins get emptied", 2),
        ("when was ben born, his birth day", 3),
        ("WIFI PASSWORD", 4),
        ("what's the password of the Wi-Fi", 4),
    ],
)
def test_a_fact_is_found_by_other_forms_of_its_words(query: str, index: int) -> None:
    assert _best(query, HOUSE) == HOUSE[index]


@pytest.mark.parametrize(
    ("query", "fact", "others"),
    [
        (
            "wo ist der Ersatzschlüssel",
            "Der Schlüssel liegt unter dem Topf.",
            "Der Müll geht Dienstag.",
        ),
        ("Gärten", "Im Garten steht ein Schuppen.", "Im Keller steht ein Rad."),
        ("चाबियाँ कहाँ हैं", "चाबी गमले के नीचे है", "दूध फ्रिज में है"),
        ("chabi kahan hai", "चाबी गमले के नीचे है", "दूध फ्रिज में है"),
        ("किल्ल्या कुठे आहेत", "किल्ली कुंडीखाली आहे", "दूध फ्रीजमध्ये आहे"),
        ("ચાવીઓ ક્યાં છે", "ચાવી કૂંડા નીચે છે", "દૂધ ફ્રિજમાં છે"),
        ("চাবিটা কোথায়", "চাবি টবের নিচে আছে", "দুধ ফ্রিজে আছে"),
        ("சாவியை எங்கே வைத்தேன்", "சாவி தொட்டியின் கீழே இருக்கிறது", "பால் பெட்டியில் உள்ளது"),
        ("తాళాలు ఎక్కడ", "తాళం కుండీ కింద ఉంది", "పాలు ఫ్రిజ్‌లో ఉన్నాయి"),
        ("താക്കോലിന്റെ സ്ഥലം", "താക്കോൽ ചട്ടിയുടെ അടിയിലാണ്", "പാൽ ഫ്രിഡ്ജിലാണ്"),
    ],
)
def test_a_fact_is_found_in_every_language_of_the_house(query: str, fact: str, others: str) -> None:
    assert _best(query, [others, fact, HOUSE[0], HOUSE[1]]) == fact


def test_numbers_are_compared_as_they_are() -> None:
    assert (
        _best("locker 211", ["locker 21 is mine", "locker 211 is yours"]) == "locker 211 is yours"
    )


def test_nothing_fits_no_words_and_no_words_fit_nothing() -> None:
    assert ranked(" ?! ", HOUSE) == [0.0] * 5
    assert ranked("key", []) == []
    assert ranked("key", ["", "।"]) == [0.0, 0.0]


def test_letters_of_any_kind_do_no_harm() -> None:
    strange = "".join(map(chr, range(0x20, 0x3000))) + "\U0001f511\ud800"
    assert ranked(strange, [strange, "key"])[0] > 0


def test_case_width_and_blanks_make_no_difference() -> None:
    assert normal(" The\tKEY\u3000is  ﬁne ") == "the key is fine"


def test_five_hundred_facts_are_searched_in_a_moment() -> None:
    facts = [
        f"{HOUSE[number % 5]} number {number} {chr(97 + number % 26) * 7}" for number in range(500)
    ]
    began_s = time.process_time()
    ranked("where is the spare key of the garden shed now", facts)
    assert time.process_time() - began_s < 0.5

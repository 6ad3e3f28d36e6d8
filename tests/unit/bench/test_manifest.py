from collections import Counter

from parlour_bench.manifest import Kind, how_it_ends, load_chatter, load_manifest

MANIFEST = load_manifest()


def test_it_has_a_hundred_and_forty_utterances_and_twelve_interruptions() -> None:
    assert Counter(utterance.kind for utterance in MANIFEST) == {
        Kind.COMMAND: 60,
        Kind.QUESTION: 40,
        Kind.PAUSED: 20,
        Kind.CORRECTION: 10,
        Kind.SHORT: 10,
        Kind.BARGE_IN: 12,
    }


def test_nothing_is_said_twice_in_a_class() -> None:
    said = [(utterance.kind, utterance.text) for utterance in MANIFEST + load_chatter()]
    assert len(set(said)) == len(said)


def test_there_are_thirty_sentences_of_chatter() -> None:
    assert len(load_chatter()) == 30


def test_every_command_can_be_told_from_silence() -> None:
    for utterance in MANIFEST:
        if utterance.kind in (Kind.COMMAND, Kind.CORRECTION):
            assert utterance.after or utterance.reply, utterance.text


def test_every_command_is_known_to_the_grammar_of_the_home() -> None:
    endings = Counter(how_it_ends(u.text) for u in MANIFEST if u.kind is Kind.COMMAND)
    assert endings == {"closed": 47, "extendable": 13}


def test_questions_are_none_of_the_homes_and_have_answers_of_15_to_50_words() -> None:
    for utterance in MANIFEST:
        if utterance.kind is Kind.QUESTION:
            assert how_it_ends(utterance.text) == "other", utterance.text
            assert 15 <= len(utterance.answer.split()) <= 50, utterance.text


def test_only_what_has_pauses_has_parts() -> None:
    for utterance in MANIFEST:
        assert (len(utterance.parts) > 1) is (utterance.kind is Kind.PAUSED), utterance.text


def test_words_assents_and_coughs_come_into_answers() -> None:
    barged = [utterance for utterance in MANIFEST if utterance.kind is Kind.BARGE_IN]
    assert Counter(utterance.how for utterance in barged) == {"words": 8, "assent": 2, "cough": 2}
    assert all(bool(utterance.into) is (utterance.how != "cough") for utterance in barged)


def test_what_is_written_in_plain_words_can_be_heard_in_plain_words() -> None:
    for utterance in MANIFEST + load_chatter():
        said = f"{utterance.text} {utterance.into}"
        assert said.replace(" ", "").isalpha(), said
        assert said == said.lower()

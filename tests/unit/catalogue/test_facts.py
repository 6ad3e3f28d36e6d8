"""What is known of engines, models and voices: complete, sourced, and graded by its figures."""

import json
from pathlib import Path

import pytest

from parlour.app import choice, registry
from parlour.app.advise import Wish, candidates, of
from parlour.app.catalogue import language_records, voice_records
from parlour.app.sections import Config, ElevenLabs, Models, OpenAi, Tts
from parlour.catalogue import facts
from parlour.catalogue.languages import LANGUAGES
from parlour.catalogue.models import models
from parlour.catalogue.piper_voices import chosen, written
from parlour.traits import Grade, Quality, best_for, covers

CONFIG = Config(models=Models(folder="/nowhere"))


def _qualities() -> list[tuple[str, str, Quality]]:
    heard = [
        (f"{name} {model}", language, quality)
        for name, known in facts.hearing().items()
        for model, traits in known.items()
        for language, quality in traits.languages.items()
    ]
    spoken = [
        (f"{name} {voice.id}", language, quality)
        for name, known in facts.speaking().items()
        for traits in known.values()
        for voice in traits.voices.values()
        for language, quality in voice.languages.items()
    ]
    return heard + spoken


def test_every_engine_of_the_registry_has_its_facts() -> None:
    assert set(registry.STT) - {"wyoming", "scripted"} == set(facts.hearing())
    assert set(registry.TTS) - {"wyoming", "scripted"} == set(facts.speaking())


def test_a_grade_that_is_given_follows_from_its_figure_and_names_its_source() -> None:
    for what, language, quality in _qualities():
        if quality.grade in (Grade.GOOD, Grade.USABLE):
            assert quality.source, (what, language)
        if quality.metric == "WER %" and what != "pocketsphinx en-us":
            assert quality.value is not None
            limit = {Grade.GOOD: 10.0, Grade.USABLE: 25.0}.get(quality.grade, 1e9)
            assert quality.value <= limit, (what, language)
            if quality.grade is Grade.POOR:
                assert quality.value > 25


def test_whisper_is_not_offered_for_what_it_cannot_hear() -> None:
    whisper = facts.hearing()["whisper_local"]
    assert best_for(whisper["base"].languages, "mr_IN") is None
    large = best_for(whisper["large-v3"].languages, "mr_IN")
    assert large is not None
    assert large.grade is Grade.POOR
    assert all(name != "whisper_local" for name, _, _ in choice.stt_alternatives("mr_IN"))
    assert all("ml_IN" not in t.languages for t in facts.hearing()["deepgram"].values())


def test_each_language_of_the_house_is_heard_and_spoken_by_somebody() -> None:
    for language in LANGUAGES:
        assert next(choice.stt_alternatives(language), None) is not None
        providers = {name for name, _, _ in choice.tts_alternatives(language)}
        assert "espeak" in providers


def test_there_are_the_real_voices_and_more_each_with_its_files() -> None:
    piper = facts.speaking()["piper"]["vits"].voices
    assert len(piper) == 58
    counts = {code: sum(code in v.languages for v in piper.values()) for code in LANGUAGES}
    assert counts == {
        "en_US": 27, "hi_IN": 3, "ml_IN": 2, "mr_IN": 1, "ta_IN": 0, "te_IN": 3, "bn_IN": 1,
        "gu_IN": 0, "de_DE": 10,
    }  # fmt: skip
    for voice in piper.values():
        files = models()[voice.download].files
        assert {file.name for file in files} >= {f"{voice.id}.onnx", f"{voice.id}.onnx.json"}
        assert all(file.size_bytes and len(file.md5) == 32 for file in files)


def test_names_that_are_made_up_elsewhere_are_not_in_the_list() -> None:
    piper = facts.speaking()["piper"]["vits"].voices
    assert not {"mr_IN-hemant-medium", "gu_IN-niranjan-medium", "bn_IN-ambika-medium"} & set(piper)


def test_a_default_is_only_what_its_licence_lets_everybody_use() -> None:
    traits = facts.speaking()["piper"]["vits"]
    for language in LANGUAGES:
        chosen_voice = choice.default_voice(traits, language)
        if chosen_voice is not None:
            assert traits.voices[chosen_voice].licence.any_use is True
    assert choice.default_voice(traits, "en_US") == "en_US-norman-medium"
    assert choice.default_voice(traits, "te_IN") in (
        "te_IN-padmavathi-medium",
        "te_IN-venkatesh-medium",
    )
    assert choice.default_voice(traits, "ml_IN") is None  # its recordings are not commercial
    # Trained on from a voice for research only, whatever its own recordings allow.
    assert traits.voices["en_US-joe-medium"].licence.any_use is None
    assert choice.default_voice(facts.speaking()["kokoro"]["v1.0"], "hi_IN") == "hf_alpha"


def test_a_voice_whose_makers_must_be_named_says_how() -> None:
    for voice in facts.speaking()["piper"]["vits"].voices.values():
        if voice.licence.recordings.startswith("CC-BY"):
            assert voice.licence.attribution, voice.id


def test_the_bengali_of_bangladesh_serves_for_bengali() -> None:
    traits = facts.speaking()["piper"]["vits"]
    assert [voice.id for voice in choice.voices_of(traits, "bn_IN")] == ["bn_BD-google-medium"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_list_of_voices_names_grade_licence_state_and_mend(language: str) -> None:
    records = voice_records(CONFIG, language)
    assert records
    for record in records:
        assert covers(record["language"], language)
        assert record["grade"] in set(Grade)
        assert set(record["licence"]) >= {"code", "weights", "recordings", "any_use"}
        assert bool(record["mend"]) == (record["state"] != "ready")
    espeak = next(record for record in records if record["provider"] == "espeak")
    assert espeak["state"] == "ready"


def test_a_key_makes_a_service_ready() -> None:
    records = {r["provider"]: r["state"] for r in voice_records(CONFIG, "ta_IN")}
    assert records["elevenlabs"] == "needs key"
    config = Config(elevenlabs=ElevenLabs.model_validate({"api_key": "k"}))
    records = {r["provider"]: r["state"] for r in voice_records(config, "ta_IN")}
    assert records["elevenlabs"] == "ready"


def test_languages_name_who_hears_and_speaks_them_best_first() -> None:
    by_id = {record["id"]: record for record in language_records(CONFIG)}
    assert list(by_id) == list(LANGUAGES)
    grades = [engine["grade"] for engine in by_id["hi_IN"]["hearing"]]
    assert grades == sorted(grades, key=["good", "usable", "unmeasured", "poor"].index)
    assert by_id["hi_IN"]["hearing"][0]["figure"] == "WER % 12.7 (FLEURS, greedy)"


# ---------------------------------------------------------------- choosing


def test_the_constraint_that_narrows_most_comes_first_and_each_rejection_has_its_reason() -> None:
    wish = Wish("hi_IN", offline=True, ram_mb=4000, budget_ms=500)
    found = candidates(CONFIG, "stt", wish)
    advice = of(found, wish)
    counts = [count for _, count in advice.order]
    assert counts == sorted(counts, reverse=True)
    assert advice.order[0][0] == "language hi_IN"
    assert len(advice.fitting) + len(advice.rejected) == len(found)
    assert all(reason for _, reason in advice.rejected)
    reasons = {(one.provider, one.model): reason for one, reason in advice.rejected}
    assert reasons["whisper_local", "large-v3"] == "needs 10000 MB of 4000 MB"
    assert reasons["whisper_local", "tiny"] == "poor in hi_IN: WER % 102.3 (FLEURS)"
    assert reasons["deepgram", "nova-3"] == "sends to api.deepgram.com"
    assert advice.fitting[0].provider == "sherpa"


def test_a_better_figure_is_preferred_and_a_robot_comes_last() -> None:
    wish = Wish("de_DE", offline=True)
    hearing = of(candidates(CONFIG, "stt", wish), wish).fitting
    assert (hearing[0].provider, hearing[0].model) == ("whisper_local", "large-v3")
    speaking = of(candidates(CONFIG, "tts", wish), wish).fitting
    assert speaking[0].provider == "piper"
    assert speaking[-1].provider == "espeak"


def test_nothing_fits_where_nothing_can() -> None:
    wish = Wish("gu_IN", offline=True, any_use=True, budget_ms=1, ram_mb=1)
    assert of(candidates(CONFIG, "tts", wish), wish).fitting == []


# ---------------------------------------------------------------- where the list comes from


def test_the_list_of_piper_is_made_from_the_packages_own(tmp_path: Path) -> None:
    voice = {
        "name": "x",
        "language": {"code": "hi_IN", "family": "hi"},
        "quality": "medium",
        "num_speakers": 2,
        "speaker_id_map": {"a": 0, "b": 1},
        "files": {"hi/x.onnx": {"size_bytes": 7, "md5_digest": "0" * 32}},
    }
    french = {**voice, "language": {"code": "fr_FR", "family": "fr"}}
    data = json.loads(written(chosen({"hi_IN-x-medium": voice, "fr": french}, "1.0")))
    assert list(data["voices"]) == ["hi_IN-x-medium"]
    assert data["voices"]["hi_IN-x-medium"]["named"] == ["a", "b"]
    assert data["source"] == "voices.json of wyoming-piper 1.0"


def test_the_voice_of_a_language_is_found_when_only_the_language_is_set() -> None:
    config = Config(tts=Tts(provider=["piper"], language="mr_IN"))
    assert choice.voice_for(config, "piper") == "mr_IN-google-medium"
    config = Config(tts=Tts(provider=["espeak"], language="ta_IN"))
    assert choice.voice_for(config, "espeak") == "ta"


@pytest.mark.parametrize(
    ("url", "host", "offline"),
    [
        (None, "api.openai.com", False),
        ("http://127.0.0.1:8880/v1", "127.0.0.1", True),
        ("http://10.0.0.7/v1", "10.0.0.7", True),
        ("http://nas.local:8880/v1", "nas.local", True),
        ("https://voice.example.com/v1", "voice.example.com", False),
    ],
)
def test_a_server_of_ones_own_sends_nothing_away(url: str | None, host: str, offline: bool) -> None:
    config = Config(openai=OpenAi(base_url=url))
    for traits in (choice.tts_traits(config, "openai"), choice.stt_traits(config, "whisper_api")):
        assert (traits.hosts, traits.offline) == ((host,), offline)

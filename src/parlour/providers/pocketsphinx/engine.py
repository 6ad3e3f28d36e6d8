"""The embedded English recogniser: pocketsphinx with a model of this house's own sentences."""

import ctypes
import tempfile
import threading
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from os.path import commonprefix
from pathlib import Path

from pocketsphinx import Config, Decoder

from parlour.audio import HEARING_RATE_HZ, Pcm
from parlour.engines.threaded import Threaded
from parlour.errors import ProviderError
from parlour.ports import Final, Partial
from parlour.ports import Vocabulary as HouseVocabulary
from parlour.providers.pocketsphinx.vocabulary import Vocabulary, build
from parlour.traits import covers

POLL_SAMPLES = HEARING_RATE_HZ // 10  # how often a partial is looked for
STEADY_POLLS = 4  # looks in a row that agree make words stable: 0.4 % still change in commands
READINGS = 30  # looked through for one that is as learned: 2 % of commands are mended by it
IDLE_DECODERS = 2  # kept for the next utterances

# Wider than the library's 1e-48, with which the right words were lost on the way in one of 90
# commands; the price is a tenth more computing.
BEAM = 1e-60

# Mean cepstrum that hearing starts from, halfway between the library's default and the mean of
# four synthetic voices. A first utterance from the default alone is right in 88 % of cases, from
# here in 95 %; utterances that were understood then move it (live cepstral mean normalisation).
FIRST_MEANS = "46,2,4,10,1,1,1,-1,-1,0,3,3,3"


@dataclass(frozen=True, slots=True)
class PocketsphinxOptions:
    believe: float = 0.6  # least share of an utterance that must be as learned, 0 to 1; 0: all
    language_weight: float = 9.0  # of the sentences against the sound; the library's own is 6.5


def serve() -> Threaded:
    """Make the engine in its process."""
    return Threaded(PocketsphinxRecogniser())


class PocketsphinxRecogniser:
    """Hears English, best what it was taught with `learn`. May be used from several threads.

    Each utterance needs a decoder of its own (11 MB, 30 ms to make). A few are kept for the next.
    """

    def __init__(self, options: PocketsphinxOptions | None = None) -> None:
        self.options = options or PocketsphinxOptions()
        self._lock = threading.Lock()
        self._means = FIRST_MEANS
        self._vocabulary: Vocabulary
        self._idle: list[Decoder]
        self.learn(HouseVocabulary())

    def learn(self, expected: HouseVocabulary) -> None:
        """Expect these sentences from now on, and no longer those learned before.

        Takes about 0.3 s for 20,000 sentences. Utterances being heard end with what they
        began with. Sentences with a word that cannot be said in English are left out.
        """
        vocabulary = build(expected.sentences)
        decoder = self._make_decoder(vocabulary)
        with self._lock:
            self._vocabulary, self._idle = vocabulary, [decoder]
        _give_back_memory()

    def hear(self, language: str | None = None) -> "PocketsphinxHearing":
        """Begin an utterance. Raises ProviderError for a language other than English."""
        if language is not None and not covers("en", language):
            raise ProviderError("pocketsphinx", f"it hears English, not {language}")
        with self._lock:
            vocabulary, means = self._vocabulary, self._means
            decoder = self._idle.pop() if self._idle else None
        decoder = decoder or self._make_decoder(vocabulary)
        decoder.set_cmn(means)
        return PocketsphinxHearing(self, vocabulary, decoder)

    def take_back(self, vocabulary: Vocabulary, decoder: Decoder, *, understood: bool) -> None:
        """Keep the decoder of an utterance that has ended for the next one."""
        means = decoder.get_cmn(True)  # with what this utterance adds
        with self._lock:
            if understood:  # noise and far-away talk must not move what voices are measured by
                self._means = means
            if vocabulary is self._vocabulary and len(self._idle) < IDLE_DECODERS:
                self._idle.append(decoder)

    def _make_decoder(self, vocabulary: Vocabulary) -> Decoder:
        with tempfile.TemporaryDirectory(prefix="parlour-") as folder:
            model, dictionary = Path(folder, "house.arpa"), Path(folder, "house.dict")
            model.write_text(vocabulary.model, encoding="utf-8")
            dictionary.write_text(vocabulary.dictionary, encoding="utf-8")
            return Decoder(
                Config(
                    lm=str(model),
                    dict=str(dictionary),
                    lw=self.options.language_weight,
                    beam=BEAM,
                    pbeam=BEAM,
                    fwdflat=False,  # a second pass after the end: 30 ms later, hardly better
                    loglevel="FATAL",
                )
            )


class PocketsphinxHearing:
    """One utterance. Ends with `finish` or `close`, after which nothing more may be fed."""

    def __init__(
        self, recogniser: PocketsphinxRecogniser, vocabulary: Vocabulary, decoder: Decoder
    ) -> None:
        self._recogniser, self._vocabulary = recogniser, vocabulary
        self._decoder: Decoder | None = decoder
        self._unpolled = 0
        self._partial = Partial("")
        self._settled = False  # it stood by what it heard at the last pause
        self._latest: deque[list[str]] = deque(maxlen=STEADY_POLLS)
        decoder.start_utt()

    def feed(self, pcm: Pcm) -> Partial | None:
        """Take sound at 16 kHz; a partial when the text, or what is stable of it, has changed."""
        assert self._decoder is not None
        if not len(pcm.samples):
            return None
        self._decoder.process_raw(pcm.tobytes())
        self._unpolled += len(pcm.samples)
        if self._unpolled < POLL_SAMPLES:
            return None
        self._unpolled = 0
        return self._look()

    def pause(self) -> Partial | None:
        """What it would stand by if this were the end; None if that is nothing. Takes 1 ms."""
        assert self._decoder is not None
        final = self._judge(_words(self._decoder))
        if not final.text:
            return None
        self._settled = True
        self._partial = Partial(final.text, len(final.text))
        return self._partial

    def finish(self) -> Final:
        """End the utterance; takes 1 to 5 ms."""
        assert self._decoder is not None
        self._decoder.end_utt()
        words = _words(self._decoder)
        final = self._judge(words)
        self._give_back(understood=bool(final.text))
        return final

    def close(self) -> None:
        """End the utterance without a final; does nothing after `finish`."""
        if self._decoder is not None:
            self._decoder.end_utt()
            self._give_back(understood=self._settled)

    def _look(self) -> Partial | None:
        assert self._decoder is not None
        words = _words(self._decoder)
        self._latest.append(words)
        steady = commonprefix(list(self._latest)) if len(self._latest) == STEADY_POLLS else []
        partial = Partial(" ".join(words), len(" ".join(steady)))
        if partial == self._partial:
            return None
        self._partial = partial
        return partial

    def _judge(self, words: list[str]) -> Final:
        text, learned = " ".join(words), self._vocabulary.sentences
        if not words or not learned.words:  # who was taught nothing has nothing to go by
            return Final(text, language="en")
        share = learned.share(words)
        if share < self._recogniser.options.believe:
            return Final("", confidence=share, language="en", rejected=text)
        if share < 1.0:
            text = " ".join(self._nearest_learned() or words)
        return Final(text, confidence=share, language="en")

    def _nearest_learned(self) -> list[str] | None:
        """The likeliest of the other readings that is as learned throughout; 0.2 ms."""
        assert self._decoder is not None
        readings = self._decoder.nbest() or ()
        for reading in islice(readings, READINGS):
            words = _plain(reading.hypstr)
            if words and self._vocabulary.sentences.share(words) >= 1.0:
                return words
        return None

    def _give_back(self, *, understood: bool) -> None:
        decoder, self._decoder = self._decoder, None
        self._recogniser.take_back(self._vocabulary, decoder, understood=understood)


def _give_back_memory() -> None:
    """What learning needed on the way is 10 MB, which glibc keeps unless it is told."""
    with suppress(OSError, AttributeError):  # another C library
        ctypes.CDLL("libc.so.6").malloc_trim(0)


def _words(decoder: Decoder) -> list[str]:
    """What the decoder believes, without silences and noises ("<sil>", "[NOISE]") and "(2)"."""
    best = decoder.hyp()
    return _plain(best.hypstr) if best else []


def _plain(said: str) -> list[str]:
    return [word.partition("(")[0] for word in said.split() if word[0] not in "<["]

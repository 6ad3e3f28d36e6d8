"""Whether an answer begins as models do that have forgotten their tools; pure.

Models trained to be careful say that they cannot control lights, with the tool for it at hand.
"""

# Lower case, without apostrophes and commas. Each is a beginning after which nothing useful comes.
OPENINGS = (
    "im sorry but i cant",
    "im sorry but i cannot",
    "im sorry but im not able",
    "im sorry but im unable",
    "im sorry but i dont have the ability",
    "im sorry but i do not have the ability",
    "im sorry but i dont have access",
    "im sorry but i do not have access",
    "im sorry i cant",
    "im sorry i cannot",
    "im just an ai",
    "im only an ai",
    "im a text-based",
    "as an ai",
    "as a language model",
    "as a large language model",
    "i cannot control",
    "i cant control",
    "i dont have the ability",
    "i do not have the ability",
    "i dont have the capability",
    "i dont have access to",
    "i do not have access to",
    "i am not able to control",
    "im not able to control",
    "im unable to control",
    "als ki",
    "als sprachmodell",
    "es tut mir leid aber ich kann",
    "tut mir leid aber ich kann",
    "ich kann leider keine",
    "ich habe keinen zugriff",
    "मैं एक एआई",
    "मैं एक भाषा मॉडल",
    "क्षमा करें मैं एक",
)
_LEFT_OUT = str.maketrans("", "", "'’,.!:;\"*")
LONGEST = max(map(len, OPENINGS)) + 8


class Opening:
    """Holds an answer back only as long as it may still become a refusal."""

    def __init__(self) -> None:
        self.is_refusal = False
        self._held = ""
        self._open = True

    def push(self, text: str) -> str:
        """What can be said now; nothing more once it is a refusal."""
        if not self._open:
            return "" if self.is_refusal else text
        self._held += text
        spelt = " ".join(self._held.translate(_LEFT_OUT).casefold().split())
        if any(spelt.startswith(opening) for opening in OPENINGS):
            self.is_refusal, self._open = True, False
            return ""
        if len(spelt) < LONGEST and any(opening.startswith(spelt) for opening in OPENINGS):
            return ""
        return self.rest()

    def rest(self) -> str:
        """What is held when no more comes."""
        self._open = False
        held, self._held = self._held, ""
        return "" if self.is_refusal else held

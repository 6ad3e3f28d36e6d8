"""Letter-to-sound rules for English words that no dictionary has, in the CMU phone set."""

import re

# First match wins, so within a letter the special stands above the general. A pattern is matched
# where the reader stands and sees the letters before it by look-behind. The rules follow what
# English spelling books teach; where names differ from words (a final "i", "ei"), names win.
_C, _V = "[^aeiouy]", "[aeiouy]"
_FRONT = "(?=[eiy])"  # before these, c and g are soft
_MAGIC = f"(?={_C}e(?:s|d)?$)"  # the silent e that makes the vowel long: lamp, but name
_LONG = f"(?={_C}[aeiou])"  # an open syllable, as in "sonos"
_LATER = f"(?<={_V}{_C})"  # after one vowel and a consonant: an unstressed ending
_LATER2 = f"(?:(?<={_V}{_C})|(?<={_V}{_C}{_C}))"

_TABLE = f"""
a aa | AA
a a(?={_V}?y$) | EY
a air|aire | EH R
a are$ | EH R
a ary$ | EH R IY
a arr | AE R
a (?<=w)ar | AO R
a ar(?!e) | AA R
a aig | EY G
a ai|ay | EY
a augh | AO
a au|aw | AO
a al(?=k) | AO
a all(?=s?$) | AO L
a al(?=[dt]) | AO L
a (?<=w)a(?=[nst]) | AA
a a(?=nge|ste$) | EY
a {_LATER2}age$ | IH JH
a able$ | AH B AH L
a a{_MAGIC} | EY
a {_LATER2}a(?=ll?y?$|ns?$|nts?$|nces?$|m$|r[ds]?$) | AH
a a(?=ti[no]|te[ds]?$|ci[ao]|{_C}i[aou]) | EY
a ^a(?=({_C})\\1) | AH
a ae | EY
a a$|ah$|as$ | AH
a a(?={_C}[aio]$) | AA
a a | AE
b b(?=t$) |
b bb? | B
c ck | K
c ch(?=[rl]) | K
c ch | CH
c (?<=s)c{_FRONT} |
c cc{_FRONT} | K S
c ci(?=[aou]) | SH
c c{_FRONT} | S
c cc?|cq | K
d dge? | JH
d dd? | D
e ^eye | AY
e ea$ | IY AH
e eau | OW
e eigh | EY
e ear(?=[nlt]) | ER
e eer|ear|ier | IH R
e ea(?=d$|th|lt|dy) | EH
e ee|ea | IY
e ^eu | Y UW
e ew|eu | UW
e ei | AY
e ey$ | IY
e ey | EY
e err | EH R
e ere$ | IH R
e er(?!{_V}) | ER
e {_LATER2}er(?={_V}) | ER
e (?<=^{_C})ed$ | EH D
e (?<=[td])ed$ | IH D
e (?<=[pkfsxh])ed$ | T
e (?<={_C})ed$ | D
e (?<=[sxz])es$|(?<=[cs]h)es$|(?<=[cg])es$ | IH Z
e (?<={_V}[ptkf])es$ | S
e (?<={_V}{_C})es$ | Z
e {_LATER2}e(?=n$|ns$|nt$|nts$|nce$|l$|ls$|m$) | AH
e {_LATER2}e(?=t$|ts$|ss$|st$) | AH
e (?<={_V}{_C})e$|(?<={_V}{_C}{_C})e$|(?<={_V})e$ |
e (?<={_V}[^aeiouylr])e(?=ly|ment|ful|less) |
e ^e(?={_C}{_V}) | IH
e e{_MAGIC} | IY
e e$ | IY
e e | EH
f ff? | F
g ^gn | N
g gn$ | N
g ^gh | G
g gh |
g ge$ | JH
g ^g(?=e[te]|i[flrv]) | G
g (?<=n)g(?=er$) |
g g{_FRONT} | JH
g gg? | G
h (?<={_V})h(?!{_V}) |
h ^h(?=our|on[eo]) |
h h | HH
i igh | AY
i ign$ | AY N
i i(?=ld$|nd$) | AY
i ing$ | IH NG
i ings$ | IH NG Z
i ir(?!{_V}) | ER
i ire$ | AY ER
i ^i(?=o|kea) | AY
i (?<=t)ie$|(?<=d)ie$|(?<=^.)ie$ | AY
i iy | IY
i ies$ | IY Z
i ie | IY
i {_LATER2}i(?=ve$|ce$|te$) | IH
i (?<={_V}{_C})ine$ | IY N
i i{_MAGIC} | AY
i i(?=[ao]) | IY
i i$ | IY
i i | IH
j j | JH
k ^kn | N
k kk? | K
l (?<={_C})le$ | AH L
l (?<={_C})les$ | AH L Z
l ll? | L
m mb$ | M
m (?<=s)m$ | AH M
m mm? | M
n nge | N JH
n ng(?=s?$|th) | NG
n ng(?=[aoulr]) | NG G
n ng(?=er$) | NG
n n(?=k|x|c[aou]) | NG
n nn? | N
o oar|oor | AO R
o ook | UH K
o oo | UW
o oa | OW
o ought | AO T
o ough$ | OW
o ould | UH D
o {_LATER2}our$ | ER
o our | AW ER
o ous$ | AH S
o ou(?=p$|p[es]|gu|ch$) | UW
o ou | AW
o oy|oi | OY
o ow(?=[nl]$|d|er|nt) | AW
o ow(?=s?$) | OW
o ow | OW
o (?<=w)or(?={_C}) | ER
o {_LATER2}or$ | ER
o ore?|orr | AO R
o oe | OW
o oh | OW
o o(?=ld|lt|st$|ll$) | OW
o {_LATER2}o(?=n$|ns$|m$) | AH
o ome$ | AH M
o (?<=[lsh])ove$ | AH V
o o{_MAGIC} | OW
o {_LATER}o(?={_C}{_V}) | AH
o o{_LONG} | OW
o o(?=s?$) | OW
o o | AA
p ph | F
p ^p(?=[sn]) |
p pp? | P
q que$ | K
q qu | K W
q q | K
r rr?h? | R
s sch(?=[lmnrw]|$) | SH
s sch | S K
s sh | SH
s (?<={_V})sion | ZH AH N
s s?sion | SH AH N
s (?<={_V})sure$ | ZH ER
s ss | S
s (?<=[aeou])s(?=e$|es$|ed$|y$|er|ing$) | Z
s (?<=[ao]i)s | Z
s (?<=[bdglmnrvw])s$ | Z
s (?<=e)s$ | Z
s (?<=s)s |
s s | S
t tch | CH
t th(?=er|e$) | DH
t th | TH
t (?<!s)tion | SH AH N
t (?<!s)ti(?=o|a|en) | SH
t ture$ | CH ER
t (?<=s)t(?=le$|en$) |
t tt? | T
u uy|ui(?=de|se) | AY
u ui|ue(?=s?$) | UW
u uur|ur(?!{_V}) | ER
u (?<=[bfcmp])ur(?={_V}) | Y UH R
u ur | UH R
u ^un(?=i[a-z]) | Y UW N
u ^u(?={_C}[aeiou]) | Y UW
u (?<=g)u(?={_V}) |
u (?<=[bcfhkmpv])u{_MAGIC} | Y UW
u u{_MAGIC} | UW
u (?<=[cfhm])u{_LONG} | Y UW
u u{_LONG} | UW
u u$ | UW
u ull$ | UH L
u u | AH
v vv? | V
w ^wr | R
w wh(?=o) | HH
w wh? | W
x ^x | Z
x (?<=^e)x(?={_V}) | G Z
x x | K S
y (?<=i)y |
y y(?={_V}) | Y
y (?<=^{_C})y$|(?<=^{_C}{_C})y$|(?<=f)y$ | AY
y y{_MAGIC} | AY
y y$ | IY
y (?<={_C})ys$ | IY Z
y y | IH
z zz? | Z
"""

_NAMES = {
    **dict(zip("abcdefg", ("EY", "B IY", "S IY", "D IY", "IY", "EH F", "JH IY"), strict=True)),
    **dict(zip("hijklm", ("EY CH", "AY", "JH EY", "K EY", "EH L", "EH M"), strict=True)),
    **dict(zip("nopqrs", ("EH N", "OW", "P IY", "K Y UW", "AA R", "EH S"), strict=True)),
    **dict(zip("tuvw", ("T IY", "Y UW", "V IY", "D AH B AH L Y UW"), strict=True)),
    **dict(zip("xyz", ("EH K S", "W AY", "Z IY"), strict=True)),
    **dict(zip("01234", ("Z IH R OW", "W AH N", "T UW", "TH R IY", "F AO R"), strict=True)),
    **dict(zip("56789", ("F AY V", "S IH K S", "S EH V AH N", "EY T", "N AY N"), strict=True)),
}


def _compile() -> dict[str, list[tuple[re.Pattern[str], tuple[str, ...]]]]:
    rules: dict[str, list[tuple[re.Pattern[str], tuple[str, ...]]]] = {}
    for line in _TABLE.strip().splitlines():
        left, _, phones = line.rpartition("|")
        letter, _, pattern = left.strip().partition(" ")
        rules.setdefault(letter, []).append((re.compile(f"(?:{pattern})"), tuple(phones.split())))
    return rules


_RULES = _compile()


def spell(word: str) -> tuple[str, ...]:
    """The names of the word's letters and digits, one after the other: "tv" as "tee vee"."""
    return tuple(phone for letter in word for phone in _NAMES.get(letter, "").split())


def sound_out(word: str) -> tuple[str, ...]:
    """Phones of a lower-case word of a-z by rule; empty if it holds anything else."""
    if not re.fullmatch("[a-z]+", word):
        return ()
    if not re.search("[aeiouy]", word):
        return spell(word)
    phones: list[str] = []
    at = 0
    while at < len(word):
        for pattern, sounds in _RULES[word[at]]:
            if (match := pattern.match(word, at)) and match.end() > at:
                phones += sounds
                at = match.end()
                break
        else:  # every letter ends with a rule that always fits
            raise AssertionError(word[at:])
    return tuple(phones)

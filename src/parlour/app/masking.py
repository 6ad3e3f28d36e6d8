"""What nobody may read over a shoulder: how secrets are taken out of keys, values and URLs."""

import re

MASK = "***"

_SECRET_KEY = re.compile(
    r"api_?key|passw|passphrase|secret|token(?!s$)|credential|(?:^|_)pin$", re.IGNORECASE
)
_URL_LOGIN = re.compile(r"([a-z][a-z0-9+.-]*://).*@", re.IGNORECASE | re.DOTALL)
_URL_QUERY = re.compile(r"(://[^?]*\?).+", re.DOTALL)


def is_secret(key: str) -> bool:
    """Whether the value under a key of this name is never to be shown."""
    return _SECRET_KEY.search(key) is not None


def mask_urls(text: str) -> str:
    """Take the login and the query out of a URL.

    The whole login goes, not only what follows its colon: some brokers take a token as the
    user's name. It is taken to end at the last @, since a password may hold one.
    """
    return _URL_QUERY.sub(rf"\1{MASK}", _URL_LOGIN.sub(rf"\1{MASK}@", text))


def mask_key(key: str) -> str:
    """A key on one line; one that is a URL by mistake keeps its scheme only."""
    shown = re.sub(r"://.*", f"://{MASK}", key, flags=re.DOTALL)
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in shown)

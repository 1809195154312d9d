"""Names of encoders, and which of them make vectors that may be compared.

A name is a space, or `space::maker`: encoders of one space put a text at about the same place, so that one can follow the other and what
was learned stays. Of any other two names only equal ones belong together.
"""

BETWEEN = "::"


def space_of(encoder: str) -> str:
    """The space that an encoder's vectors lie in: its name up to `::`."""
    return encoder.partition(BETWEEN)[0]


def comparable(encoder: str, other: str) -> bool:
    """May vectors of both be compared? "" is no known encoder, and fits any."""
    return not encoder or not other or space_of(encoder) == space_of(other)

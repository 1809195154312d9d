"""What a caller may rely on after giving feedback."""

import enum


class Receipt(enum.Enum):
    """How safe feedback is. It is as good as True where it was taken, as good as False where not, and its string is one word.

    Attributes
    ----------
    DURABLE : on the disk, in the journal or in the store: it survives a killed process and a loss of power
    WAITING : taken, and in memory alone as yet: it is written as soon as that is possible, and lost if the process is killed before
    KNOWN : not taken, since the decision has its feedback already
    """

    DURABLE = "durable"
    WAITING = "waiting"
    KNOWN = "known"

    def __bool__(self) -> bool:
        return self is not Receipt.KNOWN

    def __eq__(self, other: object) -> bool:
        return bool(self) is other if isinstance(other, bool) else self is other

    def __hash__(self) -> int:
        return hash(bool(self))

    def __str__(self) -> str:
        return self.value

"""What a caller may rely on after giving feedback."""

import enum


class Receipt(enum.Enum):
    """How safe feedback is. True where it was taken, and its string is one word.

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

    def __str__(self) -> str:
        return self.value

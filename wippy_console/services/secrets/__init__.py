"""Values that an entry's schema marks `writeOnly`: sent, but shown nowhere again, in no list, feed or history."""

from wippy_console.services.masking import MASK
from wippy_console.services.secrets.events import Shown, describe, history, veil
from wippy_console.services.secrets.everywhere import hidden as veiled
from wippy_console.services.secrets.everywhere import of as payloads_of
from wippy_console.services.secrets.hidden import Hidden
from wippy_console.services.secrets.hidden import of as hidden_of
from wippy_console.services.secrets.marks import Marks, is_secret
from wippy_console.services.secrets.masking import arguments, holds, masked
from wippy_console.services.secrets.notices import Notice, notice
from wippy_console.services.secrets.places import Places
from wippy_console.services.secrets.signals import message

__all__ = [
    "MASK",
    "Hidden",
    "Marks",
    "Notice",
    "Places",
    "Shown",
    "arguments",
    "describe",
    "hidden_of",
    "history",
    "holds",
    "is_secret",
    "masked",
    "message",
    "notice",
    "payloads_of",
    "veil",
    "veiled",
]

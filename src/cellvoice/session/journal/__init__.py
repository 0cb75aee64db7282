"""A conversation on disk: written while it happens, read again when it is resumed."""

from ._copy import copy_conversation, free_name
from ._errors import error_from
from ._files import saved_files
from ._layout import make_folder, parent_folder
from ._listing import SavedSession, SavedSessions, find_session, sessions, size_words
from ._lock import Holder
from ._messages import KeptRequest
from ._prune import Pruned, prune
from ._records import settings_record
from ._sounds import sound_bytes, sound_path
from ._story import Story, TurnStory, read_story
from ._takes import UnsentTake
from .journal import About, Journal, Written, journal_for

__all__ = [
    "About",
    "Holder",
    "Journal",
    "KeptRequest",
    "Pruned",
    "SavedSession",
    "SavedSessions",
    "Story",
    "TurnStory",
    "UnsentTake",
    "Written",
    "copy_conversation",
    "error_from",
    "find_session",
    "free_name",
    "journal_for",
    "make_folder",
    "parent_folder",
    "prune",
    "read_story",
    "saved_files",
    "sessions",
    "settings_record",
    "size_words",
    "sound_bytes",
    "sound_path",
]

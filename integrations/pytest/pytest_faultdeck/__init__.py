"""faultdeck for pytest: a recorded QRadar console for each test, with the trouble that a scenario asks for.

The plugin is in :mod:`pytest_faultdeck.plugin`; what is here can be used without pytest, too.
"""

from .binary import NotFound, find
from .cassette import use_cassette
from .console import Console, Request, Trouble
from .story import Story
from .verdict import Broken, Verdict

__all__ = ["Broken", "Console", "NotFound", "Request", "Story", "Trouble", "Verdict", "find", "use_cassette"]
__version__ = "0.1.0"

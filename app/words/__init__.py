"""Every sentence a person reads in the app, by page. Names from outside are filled in as text, never as markup.

Modules of the app say `words.lab.TRAIN`: where a sentence stands is where it is read.
"""

from . import cards, classroom, compare, embeddings, evidence, lab, learn, pulls, schedules, served, shared, sharing

__all__ = [
    "cards",
    "classroom",
    "compare",
    "embeddings",
    "evidence",
    "lab",
    "learn",
    "pulls",
    "schedules",
    "served",
    "shared",
    "sharing",
]

"""What is said of a class: to whoever leads it, and to those who follow."""

from __future__ import annotations

TOO_MANY = "There are {most} classes under way already; end one of them first."
OVER = "This class is over, or its link was never right: ask for the present one. All that is here can be seen alone."
NOT_YOURS = "Only whoever began this class leads it; open its link to follow."
FULL = "This class has {most} followers already, and no more fit in."
TOO_FAST = "Too much was sent at once."
LEAD = "Lead a class"
LEAD_HELP = (
    "Whoever opens the link sees what you see: page, step, camera, layers. Their answers come back as counts, without "
    "names."
)
ONLY_HERE = "Copied. This app answers on this machine alone: start it with --share for others to follow."
WORDS = {
    "leading": "You lead a class",
    "followers": "{count} follow",
    "link": "Copy the class link",
    "copied": "Copied",
    "end": "End the class",
    "following": "You follow the class",
    "alone": "You look around alone",
    "leave": "Look around alone",
    "back": "Back to the class",
    "away": "Whoever leads is away; the class goes on when they are back.",
    "ended": "The class is over. You look on alone.",
    "lost": "The connection to the class was lost. Trying again…",
    "refused": "This class cannot be joined.",
    "dismiss": "Close",
    "joining": "Joining the class…",
    "elsewhere": "The class is at another page.",
    "answered": "{answered} of {count} have answered",
    "bin": "{low} to {high}",
    "tally": "Answers of the class",
    "counted": "{name}: {count}",
}
"""Of the bar above the page, which draws itself."""

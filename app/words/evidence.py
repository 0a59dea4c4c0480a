"""What the page Evidence says: measures before their court, and results reproduced."""

from __future__ import annotations

from collections.abc import Mapping

PARTS = {"court": "Measures on trial", "museum": "Results reproduced"}
PART = "What is shown"

# The court of measures.
COURT_TITLE = "Which measure can be believed where"
COURT_LEAD = (
    "Every measure of evenness is tried on clouds of points whose truth is known. Where nothing happened to evenness "
    "it must stay; where the points became less even it must move."
)
COURT_NOTE = (
    "Each bar is a cloud, as high as it lies on the measure's way from the first of them to all points in one place. "
    "Within {room:.0%} of that way two values are the same. Tried on {date} with ltviz {version}; "
    "`ltviz bench measures` tries them again."
)
PASSED, FAILED = "passed", "failed"
FACTS = {"unit": "Unit", "range": "Range", "better": "Direction", "source": "Source"}
CURVE = "It should {asks}. From first to last cloud: {curve}"
NO_UNIT, NO_BOUND, NO_DIRECTION = "plain number", "no bound", "neither way is better"
RANGE = "{low} to {high}"
SCORE = "{passed} of {all} passed"

# The compare page.
DIFFERENCES = {
    "points": "in how many points were measured",
    "dimensions": "in dimensions",
    "balance": "in the shares of classes among the points measured",
}
LARGEST = "the largest has {low:.0%} to {high:.0%}"
SPLIT_DIFFERS = (
    "Some of these runs tell test samples from others and some do not, so what is measured is not of the same points."
)

# The museum.
MUSEUM_TITLE = "Published results, computed here"
MUSEUM_LEAD = (
    "What a theorem says, or what follows from one, as a number that a CPU finds in seconds. A verdict may be that it "
    "is not reproduced: then by how much."
)
MUSEUM_NOTE = "Values found on {date} with ltviz {version}; `ltviz reproduce NAME` finds one again."
VALUE, EXPECTED, VERDICT = "Value", "Expected", "Verdict"
EXPECTED_IS = "{expected} ± {tolerance:g}"
OFF_BY = "{verdict}, off by {off:.3g}"
COMPUTE, CANCEL, MOVE = "Compute it here", "Cancel", "See it move"
COMPUTE_AND_FILM = "Compute and record it here"
FILMED = "Its picture: {film}"
COMPUTING = "Computing …"
COMPUTED_HERE = "Computed here, in {seconds:.1f} s."
CANCELLED = "Cancelled."
NO_ANSWER = "It could not be computed ({reason})."
TOO_LONG = "no answer within {seconds} s"


def cannot_judge(measures: str, differences: Mapping[str, str]) -> str:
    """That measures take a difference between the shown runs for one in evenness."""
    told = " and ".join(f"{DIFFERENCES[name]} ({values})" for name, values in differences.items())
    return f"{measures} cannot judge these runs against each other: they differ {told}."

"""What the ledger of pulls says: who has moved a class or a sample, and what that leaves out."""

LEDGER = "Ledger of pulls"
ABOUT = (
    "Who has moved a class, or one sample, since a step: the forces of each frame along the way to the next. Above the "
    "line a part went along with the way, below it against it; in units of the loss of one sample."
)
WHOM, A_CLASS, A_SAMPLE = "Whose ledger", "Class", "One sample"
CLASS = "Class"
SAMPLE = "Row of the probe"
SINCE = "Since step"
SOON = "The ledger begins with the second frame that holds forces."
NONE = "{title}: its frames hold no forces, so nobody knows who moved it."
OTHER = "{title}: it has no class {name!r} of this number."
NO_WAY = "{title}: this sample has no class, or isn't there at two of these frames."
BAD_ROW = "{title}: {reason}"
MOVED = "{title}: {name} is {moved:.0f}° from where it was at step {since}."
TOLD = " Along with the way: {along}. Against it: {against}."
TOLD_BY_CLASS = " By class, along with it: {along}; against it: {against}."
MORE = "{more} more"
NOBODY = "nobody"
TOLD_APART, BY_KIND, BY_CLASS = "Told apart by", "Kind", "Class"
NOT_BY_CLASS = (
    "{title}: its frames don't tell its forces apart by class; those of newer runs do, up to 8,192 numbers "
    "(classes x classes x dimensions) a frame."
)
UNTOLD = (
    "Who moved it cannot be told of {titles}, drawn pale: half of these frames would say something else. Few batches "
    "hold a rare class; let forces be measured at more frames (forces every 1, more frames a second) to know."
)
NOTE = (
    "A class is its centre, moved by the mean force on its samples in the next batch; ± is how far half of these "
    "frames would be off. The network moves all embeddings at once, so a class may also move by none of its own "
    "forces. Between two frames with forces, {stride} steps here, the way is taken for straight and what happened "
    "there is left out: measured at every eighth step against every one, the largest classes are right to 5 to 40 %, "
    "rare ones are not."
)
SAMPLE_NOTE = "For a sample the force is the mean one on its class: frames hold no others."
ASKED_ONE = "Who moved what is told of a class or of a row of the probe: give one of `class` and `row`."
NO_CLASS = "A class is its rank by number of samples, from 0 to {most}, got {given}."
CARD_MOVED = "It is {moved:.0f}° from where it was at step {since}, by step {until}."
CARD_UNTOLD = " Who moved it cannot be told, and is drawn pale: half of these frames would say something else."
CARD_LARGE = "Who moved it is not read here, for this run is large."

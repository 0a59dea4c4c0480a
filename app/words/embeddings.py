"""What the page of your embeddings says."""

from __future__ import annotations

DROP = "Drop files of embeddings"
DROP_HELP = "Several files of the same points become the steps of one run. Nothing leaves this machine."
EMPTY = "Drop vectors of any model, with or without labels, and see them as a run: first what was understood."
FORMATS = (
    "npz, safetensors · npy, CSV, TSV, JSON lines, also as .gz · Parquet, Arrow, Feather",
    "word2vec and GloVe text · tensors.tsv with metadata.tsv of TensorBoard's projector · tables of numpy.savetxt",
    "Labels are numbers or text; -1, NaN, None and nothing mean unlabelled. Pickles and .pt can run code: not read.",
)
COMMAND = "ltviz open embeddings.npz"
LABELS_FILE = "Labels stand in"
LABELS_INSIDE = "the files themselves"
SEVERAL = "Several files are"
SEVERAL_WAYS = ("steps of one run", "runs to compare")
CORRECT = "Correct what was understood"
NAME = "Name"
LABEL_COLUMN = "Label column"
LABEL_HELP = "The column that says the class of each row. Others stay attributes: to colour by, to find, to read."
NO_LABEL = "none"
VECTOR_COLUMNS = "Vector columns"
VECTORS_HELP = "One column that holds whole vectors, or the columns that are the dimensions, separated by commas."
READING = "Reading"
MAKING = "All of it is being measured and written; the measures follow."
MEASURING = "Measuring"
STOP = "Stop measuring"
STOPPED = "The measuring was stopped; what was measured when the run was written stands in the table of the stage."
MEASURE = "Measure all"
REFUSED = "Not opened, and nothing was made: {reason}"
OPEN = "Open {name}"
OPEN_ALL = "Open all"
UNDERSTOOD = "What was understood"
ROWS, DIM, CLASSES, UNLABELLED, STEPS = "Rows", "Dimensions", "Classes", "Unlabelled", "Steps"
VECTORS, LABEL, NONE = "Vectors", "Label", "none: nothing is coloured or measured by class"
ROLES = {"name": "Name of each row", "split": "Train, test or validation", "id": "Sample id"}
ATTRIBUTES, LEFT_OUT, LENGTHS = "Attributes", "Left out", "Lengths of the rows"
UNIT = "all 1: normalised"
NOT_UNIT = "{low} to {high}: not normalised, their directions are shown"
COUNTS = "Samples of each class, head to tail"
AND_MORE = "{shown} and {more} more"
COMPARE = "Compare it with other runs"
REPORT, REPORT_FILE = "Report", "ltviz-report.html"
MEASURES = "All measures"
SAMPLED = (
    "Of {title}, what takes all pairs of points was measured on {drawn} of its {points} points, drawn evenly from each "
    "class, and ± is the standard error that this leaves; what was measured of all when it was written stands as it "
    "was."
)

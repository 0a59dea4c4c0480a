"""`python -m ltviz` is the command `ltviz`."""

import sys

from ltviz.cli import main

sys.exit(main())

"""Another page is one more file and its line in the navigation: tried on a copy of the app that has one."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import ltviz_app

APP = Path(ltviz_app.__file__).parent
PAGE = '''"""How many runs there are."""

import streamlit as st
from ltviz_app.service.studio import open_studio
from ltviz_app.widgets.style import draw_style

studio = open_studio()
draw_style()
st.text(f"{len(studio.recordings())} runs and {len(studio.demo_recordings())} demos")
'''
LINE = '        st.Page("pages/compare.py", title=words.shared.COMPARE),\n'
VISIT = """
import sys
from ltviz.launch import app as launched
from pathlib import Path

launched.app_folder = lambda: Path(sys.argv[1])
from streamlit.testing.v1 import AppTest

app = AppTest.from_file(sys.argv[1] + "/main.py", default_timeout=60).run()
assert not app.exception, app.exception
app.switch_page("pages/tally.py").run()
assert not app.exception, app.exception
print([text.value for text in app.text])
"""


def test_a_page_costs_its_file_and_a_line_of_the_navigation(home: Path, tmp_path: Path, runs) -> None:
    runs.finished(home, "run-one")
    copy = shutil.copytree(APP, tmp_path / "app", ignore=shutil.ignore_patterns("__pycache__"))
    (copy / "pages" / "tally.py").write_text(PAGE)
    navigation = (copy / "main.py").read_text()
    assert LINE in navigation
    (copy / "main.py").write_text(
        navigation.replace(LINE, LINE + '        st.Page("pages/tally.py", title="Tally"),\n')
    )
    changed = [
        path.relative_to(copy)
        for path in copy.rglob("*.py")
        if not (APP / path.relative_to(copy)).exists()
        or (APP / path.relative_to(copy)).read_bytes() != path.read_bytes()
    ]
    assert sorted(map(str, changed)) == ["main.py", "pages/tally.py"]
    # A process of its own: here the app has its name already.
    visit = [sys.executable, "-W", "ignore", "-c", VISIT, str(copy)]
    done = subprocess.run(visit, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.strip().splitlines()[-1] == "['1 runs and 5 demos']"

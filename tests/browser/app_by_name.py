"""Importing this gives the app the name under which its modules are imported: ltviz_app."""

from ltviz.launch.app import load_app

load_app()

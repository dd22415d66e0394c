"""How the guide is built: ``pip install -e ".[docs]"``, then ``sphinx-build -W docs build/docs``."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

project = "Pullback"
html_title = "Pullback"
html_theme = "furo"
html_show_copyright = False
html_copy_source = False
extensions = ["myst_parser", "sphinx.ext.autodoc", "generated"]
autodoc_typehints = "none"
autodoc_member_order = "bysource"
myst_heading_anchors = 3
html_static_path = ["static"]
html_css_files = ["wide.css"]

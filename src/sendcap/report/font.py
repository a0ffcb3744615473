"""The font of the charts, as much of it as a page needs, to be put into the page.

The charts' labels are placed by the widths of matplotlib's own font, DejaVu Sans. With another one
they would overlap.
"""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Final

_FILES: Final = {400: "DejaVuSans.ttf", 700: "DejaVuSans-Bold.ttf"}
_ALWAYS: Final = "".join(map(chr, range(0x20, 0x7F)))


def font_faces(letters: frozenset[str]) -> str:
    """Return the CSS that brings along the glyphs of some letters, regular and bold.

    Letters that the font lacks are left to the fonts of the reader's machine.
    """
    return "\n".join(
        "@font-face { font-family: 'DejaVu Sans'; "
        f"font-weight: {weight}; src: url(data:font/woff;base64,{_encoded(file, letters)}); }}"
        for weight, file in _FILES.items()
    )


def _encoded(file: str, letters: frozenset[str]) -> str:
    import matplotlib as mpl
    from fontTools.subset import Options, Subsetter
    from fontTools.ttLib import TTFont

    path = Path(mpl.get_data_path(), "fonts", "ttf", file)
    options = Options(layout_features=["kern"], hinting=False)
    options.drop_tables = [*options.drop_tables, "FFTM"]
    subsetter = Subsetter(options)
    subsetter.populate(text=_ALWAYS + "".join(sorted(letters)))
    content = io.BytesIO()
    # The same letters give the same bytes, whenever that is.
    with TTFont(path, recalcTimestamp=False) as font:
        subsetter.subset(font)
        font.flavor = "woff"
        font.save(content)
    return base64.b64encode(content.getvalue()).decode("ascii")

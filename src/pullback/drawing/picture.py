"""A picture as its user holds it: SVG, PNG, matplotlib axes, and what a notebook shows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pullback.drawing import plotting
from pullback.drawing.scene import Scene
from pullback.drawing.svg import svg
from pullback.errors import PullbackError

ENDINGS = (".svg", ".png", ".pdf")


class Picture:
    """A drawing that is written when it is asked for.

    ``theme`` is "light", "dark", or "auto": no background, in the colour of the text around it.
    """

    def __init__(self, scene: Scene, theme: str = "auto") -> None:
        self.scene = scene
        self.theme = theme

    @property
    def title(self) -> str:
        return self.scene.title

    def svg(self, theme: str | None = None) -> str:
        """The picture as an SVG element, without anything that is loaded or run."""
        return svg(self.scene, theme or self.theme)

    def png(self, theme: str | None = None, scale: float = 2.0) -> bytes:
        """The picture as PNG, drawn with matplotlib; "auto" is transparent, in mid-grey."""
        return plotting.image(self.scene, theme or self.theme, "png", scale)

    def plot(self, ax: Any = None, theme: str | None = None) -> Any:
        """The picture on matplotlib axes, new ones unless given; returns the axes."""
        return plotting.plot(self.scene, ax, theme or self.theme)

    def save(self, path: str | Path, theme: str | None = None) -> None:
        """Writes .svg, .png or .pdf by the name's ending; a file is light unless told.

        Raises PullbackError for another ending, and where the file cannot be written.
        """
        path = Path(path)
        ending = path.suffix.lower()
        if ending not in ENDINGS:
            raise PullbackError(
                f"cannot tell what kind of picture {path} is", hint="end it in .svg, .png or .pdf"
            )
        look = theme or (self.theme if self.theme != "auto" else "light")
        data = self.svg(look).encode() if ending == ".svg" else self._image(look, ending[1:])
        try:
            path.write_bytes(data)
        except OSError as error:
            raise PullbackError(f"cannot write {path}: {error.strerror}") from None

    def _image(self, theme: str, format: str) -> bytes:
        return plotting.image(self.scene, theme, format)

    def _repr_svg_(self) -> str:
        return self.svg()

    def _repr_html_(self) -> str:
        """The same inside the page, where it has the colour of the text around it."""
        return self.svg()

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.title}>"

"""A user's own pictures: what a folder may hold, and how they are shrunk."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from inward_charts import data_url, folder_pictures, from_data_url, shrunk, side_by_side
from PIL import Image


def test_what_cannot_be_a_picture_is_passed_over(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    Image.new("RGB", (30, 20), "navy").save(tmp_path / "a.png")
    (tmp_path / "._a.png").write_bytes(b"not for Pillow")
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "x.png").mkdir()
    (tmp_path / "gone.png").symlink_to(tmp_path / "nowhere.png")
    assert [name for name, _ in folder_pictures(tmp_path)] == ["a.png"]
    [warning] = caplog.messages
    assert "4 of 5 files" in warning
    assert "gone.png" in warning


def test_a_folder_of_nothing_usable_is_told(tmp_path: Path) -> None:
    (tmp_path / ".a.png").write_bytes(b"x")
    with pytest.raises(ValueError, match="no image in"):
        list(folder_pictures(tmp_path))


def test_a_photograph_is_turned_as_it_was_held(tmp_path: Path) -> None:
    image = Image.new("RGB", (300, 200), "navy")
    exif = image.getexif()
    exif[0x0112] = 6
    image.save(tmp_path / "a.jpg", exif=exif)
    [(_, png)] = folder_pictures(tmp_path)
    assert Image.open(io.BytesIO(png)).size == (200, 300)


def test_greys_of_sixteen_bits_keep_their_shades() -> None:
    ramp = np.linspace(0, 65535, 4096).reshape(64, 64).astype(np.uint16)
    file = io.BytesIO()
    Image.fromarray(ramp).save(file, "PNG")
    shown = np.asarray(Image.open(io.BytesIO(shrunk(file.getvalue()))).convert("L"))
    assert (shown[0, 0], shown[32, 0], shown[-1, -1]) == (0, 128, 255)


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("x.txt", b"", "no image in"),
        ("x.png", b"not a png", "x.png' is no image that Pillow"),
        ("x.png", b"\x89PNG\r\n\x1a\n", "x.png' is no"),
    ],
)
def test_an_unusable_folder_is_told(tmp_path: Path, name: str, content: bytes, reason: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=reason):
        list(folder_pictures(tmp_path))


def test_two_pictures_side_by_side_and_a_data_url_and_back() -> None:
    pictures = []
    for colour, size in (("navy", (90, 60)), ("red", (40, 80))):
        file = io.BytesIO()
        Image.new("RGB", size, colour).save(file, "PNG")
        pictures.append(file.getvalue())
    both = from_data_url(data_url(side_by_side(*pictures)))
    with Image.open(io.BytesIO(both)) as image:
        assert image.size == (90 + 16 + 40, 80)
        assert image.convert("RGB").getpixel((5, 5)) == (0, 0, 128)
        assert image.convert("RGB").getpixel((140, 70)) == (255, 0, 0)

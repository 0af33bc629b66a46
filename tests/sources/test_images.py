from __future__ import annotations

import hashlib
import io
import os
import struct
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from castsearch.errors import ImageError
from castsearch.sources.images import content_hash, crop, decode, read_bytes, upright_size
from castsearch.types import Box

# Two rows of three: red green blue / black grey white. Lossless formats must give it back.
FLAG = np.array(
    [[[255, 0, 0], [0, 255, 0], [0, 0, 255]], [[0, 0, 0], [128, 128, 128], [255, 255, 255]]],
    dtype=np.uint8,
)


def encoded(image: Image.Image, file_format: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, file_format, **options)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("file_format", "options"),
    [
        ("PNG", {}),
        ("WEBP", {"lossless": True}),
        ("TIFF", {}),
        ("TIFF", {"compression": "tiff_lzw"}),
        ("TIFF", {"big_tiff": True}),
        ("BMP", {}),
    ],
)
def test_decode_gives_the_pixels_back(file_format: str, options: dict[str, object]) -> None:
    pixels = decode(encoded(Image.fromarray(FLAG), file_format, **options), "flag")
    assert pixels.dtype == np.uint8
    assert pixels.flags.c_contiguous
    assert pixels.flags.writeable
    np.testing.assert_array_equal(pixels, FLAG)


def test_decode_jpeg_is_close() -> None:
    patch = np.full((16, 24, 3), (200, 40, 90), np.uint8)
    data = encoded(Image.fromarray(patch), "JPEG", quality=95)
    pixels = decode(data, "patch.jpg")
    assert pixels.shape == (16, 24, 3)
    assert np.abs(pixels.astype(int) - patch).max() <= 3


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(file_format: str, orientation: int) -> None:
    # A bright top left corner on a 48 x 32 picture shows where each orientation brings it:
    # EXIF names the sides of the scene where row 0 and column 0 of the stored pixels lie.
    stored = np.zeros((32, 48, 3), np.uint8)
    stored[:16, :16] = 255
    row0, column0 = {
        1: ("top", "left"),
        2: ("top", "right"),
        3: ("bottom", "right"),
        4: ("bottom", "left"),
        5: ("left", "top"),
        6: ("right", "top"),
        7: ("right", "bottom"),
        8: ("left", "bottom"),
    }[orientation]
    image = Image.fromarray(stored)
    exif = image.getexif()
    exif[0x0112] = orientation
    pixels = decode(encoded(image, file_format, exif=exif), "phone")
    assert pixels.shape == ((48, 32, 3) if orientation > 4 else (32, 48, 3))
    sides = {row0, column0}
    bright = pixels[-8 if "bottom" in sides else 8, -8 if "right" in sides else 8]
    dark = pixels[8 if "bottom" in sides else -8, 8 if "right" in sides else -8]
    assert bright.min() > 240
    assert dark.max() < 15


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_an_orientation_that_exif_does_not_know_is_upright(orientation: int) -> None:
    image = Image.fromarray(FLAG)
    exif = image.getexif()
    exif[0x0112] = orientation
    np.testing.assert_array_equal(decode(encoded(image, "PNG", exif=exif), "x"), FLAG)


def test_a_damaged_exif_block_does_not_lose_the_picture() -> None:
    data = encoded(Image.new("RGB", (8, 8), "white"), "JPEG", exif=b"Exif\0\0MM\0*\xff\xff\xff\xff")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert decode(data, "x").min() > 250


@pytest.mark.parametrize("file_format", ["JPEG", "TIFF"])
def test_cmyk(file_format: str) -> None:
    cyan = Image.new("CMYK", (16, 16), (255, 0, 0, 0))
    pixels = decode(encoded(cyan, file_format), "print.jpg")
    assert pixels.shape == (16, 16, 3)
    assert np.abs(pixels.astype(int) - (0, 255, 255)).max() <= 3


def test_palette() -> None:
    image = Image.fromarray(FLAG).quantize(6)
    assert image.mode == "P"
    np.testing.assert_array_equal(decode(encoded(image, "PNG"), "x.png"), FLAG)


@pytest.mark.parametrize("file_format", ["PNG", "TIFF"])
@pytest.mark.parametrize(
    ("value", "expected"), [(0, 0), (128, 0), (129, 1), (257, 1), (32896, 128), (65535, 255)]
)
def test_16_bit_grey_is_scaled(file_format: str, value: int, expected: int) -> None:
    image = Image.fromarray(np.full((2, 2), value, np.uint16))
    pixels = decode(encoded(image, file_format), "scan")
    np.testing.assert_array_equal(pixels, np.full((2, 2, 3), expected))


def test_16_bit_grey_of_the_other_byte_order() -> None:
    # Big-endian TIFF, one strip of two pixels: 257 and 65535.
    entries = [(256, 2), (257, 1), (258, 16), (259, 1), (262, 1), (273, 134), (277, 1), (278, 1)]
    entries.append((279, 4))
    ifd = b"".join(struct.pack(">HHIHH", tag, 3, 1, value, 0) for tag, value in entries)
    head = b"MM\0*" + struct.pack(">IH", 8, len(entries)) + ifd + bytes(4)
    data = head.ljust(134, b"\0") + struct.pack(">HH", 257, 65535)
    np.testing.assert_array_equal(decode(data, "x.tif")[0, :, 0], [1, 255])


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.array([[0, 255]], np.int32), [0, 255]),  # 8 bits in a wide type
        (np.array([[257, 65535]], np.int32), [1, 255]),  # 16 bits in a wide type
        (np.array([[0, 70000]], np.int32), [0, 255]),  # stretched
        (np.array([[-100, 100]], np.int32), [0, 255]),
        (np.array([[7, 7]], np.int32), [7, 7]),
        (np.array([[-7, -7]], np.int32), [0, 0]),
        (np.array([[0.0, 1.0]], np.float32), [0, 255]),
        (np.array([[51.0, 255.0]], np.float32), [51, 255]),
        (np.array([[np.nan, 255.0]], np.float32), [0, 255]),
    ],
)
def test_32_bit_grey_is_scaled(values: np.ndarray, expected: list[int]) -> None:
    pixels = decode(encoded(Image.fromarray(values), "TIFF"), "x.tif")
    assert pixels.shape == (1, 2, 3)
    np.testing.assert_array_equal(pixels[0, :, 0], expected)


@pytest.mark.parametrize(("mode", "colour"), [("L", 77), ("1", 1), ("LA", (77, 255))])
def test_grey(mode: str, colour: int | tuple[int, int]) -> None:
    expected = 255 if mode == "1" else 77
    pixels = decode(encoded(Image.new(mode, (3, 2), colour), "PNG"), "x.png")
    np.testing.assert_array_equal(pixels, np.full((2, 3, 3), expected))


@pytest.mark.parametrize("file_format", ["PNG", "WEBP", "TIFF"])
def test_alpha_is_laid_on_white(file_format: str) -> None:
    options = {"lossless": True, "exact": True} if file_format == "WEBP" else {}
    image = Image.new("RGBA", (3, 1), (0, 0, 0, 0))
    image.putpixel((1, 0), (10, 20, 30, 255))
    image.putpixel((2, 0), (0, 0, 0, 51))  # a fifth black over white: 204
    pixels = decode(encoded(image, file_format, **options), "x")
    np.testing.assert_array_equal(pixels[0], [[255] * 3, [10, 20, 30], [204] * 3])


def test_transparency_without_an_alpha_channel_is_laid_on_white() -> None:
    palette = Image.fromarray(FLAG).quantize(6)
    index = palette.getpixel((0, 0))
    pixels = decode(encoded(palette, "PNG", transparency=index), "x.png")
    np.testing.assert_array_equal(pixels[0, 0], [255, 255, 255])
    np.testing.assert_array_equal(pixels[0, 1], FLAG[0, 1])


@pytest.mark.parametrize("file_format", ["PNG", "WEBP", "TIFF"])
def test_of_several_frames_the_first_is_taken(file_format: str) -> None:
    options = {"lossless": True} if file_format == "WEBP" else {}
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "blue")]
    data = encoded(frames[0], file_format, save_all=True, append_images=frames[1:], **options)
    np.testing.assert_array_equal(decode(data, "x"), np.full((4, 4, 3), (255, 0, 0)))


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "TIFF", "BMP"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_truncated_picture(file_format: str, share: float) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    data = encoded(Image.fromarray(noise), file_format)
    with pytest.raises(ImageError) as caught:
        decode(data[: int(len(data) * share)], "a/b.jpg")
    assert str(caught.value) == (
        "a/b.jpg is truncated or damaged and cannot be decoded; copy or export it again."
    )


@pytest.mark.parametrize(
    "data",
    [
        b"This is a shopping list, not a picture.",
        b"x",
        encoded(Image.new("RGB", (4, 4)), "GIF"),
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n",
    ],
)
def test_not_a_picture_of_ours(data: bytes) -> None:
    with pytest.raises(ImageError) as caught:
        decode(data, "list.jpg")
    assert str(caught.value) == (
        "list.jpg is not a JPEG, PNG, WebP, TIFF or BMP picture, whatever its name says; "
        "convert it or take it out."
    )


def test_zero_bytes(tmp_path: Path) -> None:
    path = tmp_path / "empty.jpg"
    path.touch()
    with pytest.raises(ImageError) as caught:
        read_bytes(path)
    assert str(caught.value) == f"{path} is empty (0 bytes); copy or export the picture again."
    with pytest.raises(ImageError, match=r"^x is empty \(0 bytes\)"):
        decode(b"", "x")


def test_above_the_limit_nothing_is_decoded() -> None:
    image = Image.new("L", (200, 100))
    for file_format in ("JPEG", "PNG", "WEBP", "TIFF", "BMP"):
        data = encoded(image.convert("RGB"), file_format)
        assert decode(data, "x", max_megapixels=0.02).shape == (100, 200, 3)
        with pytest.raises(ImageError) as caught:
            decode(data, "x", max_megapixels=0.019)
        assert str(caught.value) == (
            "x has 200 x 100 pixels (0.02 megapixels), above the limit of 0.019; make it smaller "
            "or raise the limit."
        )


def test_the_default_limit_is_100_megapixels() -> None:
    with pytest.raises(ImageError) as caught:
        decode(bomb("PNG"), "poster.png")
    assert str(caught.value) == (
        "poster.png has 10001 x 10000 pixels (100.01 megapixels), above the limit of 100; make it "
        "smaller or raise the limit."
    )


def bomb(file_format: str) -> bytes:
    """A small valid file whose header says 10,001 x 10,000 pixels."""
    data = bytearray(encoded(Image.new("RGB", (3, 2)), file_format))
    if file_format == "PNG":
        data[16:24] = struct.pack(">II", 10001, 10000)
        data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    elif file_format == "BMP":
        data[18:26] = struct.pack("<II", 10001, 10000)
    elif file_format == "JPEG":
        at = data.index(b"\xff\xc0")
        data[at + 5 : at + 9] = struct.pack(">HH", 10000, 10001)
    else:  # a lossy WebP: 14 bits each
        data[26:30] = struct.pack("<HH", 10001, 10000)
    return bytes(data)


@pytest.mark.parametrize("file_format", ["PNG", "BMP", "JPEG", "WEBP"])
def test_a_small_file_that_claims_to_be_huge(file_format: str) -> None:
    with pytest.raises(ImageError, match=r"^x has 10001 x 10000 pixels .* above the limit of 100"):
        decode(bomb(file_format), "x")


@pytest.mark.parametrize(
    "chunk",
    [
        b"VP8X" + struct.pack("<I", 10) + bytes(4) + b"\xff\xff\x00\xff\xff\x00",
        b"VP8L" + struct.pack("<I", 5) + b"\x2f" + struct.pack("<I", 0x0FFFFFFF) + bytes(5),
    ],
)
def test_the_canvas_of_a_webp_is_checked_before_it_is_allocated(chunk: bytes) -> None:
    data = b"RIFF" + struct.pack("<I", 4 + len(chunk)) + b"WEBP" + chunk
    with pytest.raises(ImageError, match="above the limit of 100"):
        decode(data, "x.webp")


def test_the_global_limit_of_pillow_plays_no_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 5)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for file_format in ("JPEG", "PNG", "BMP"):
            assert decode(encoded(Image.fromarray(FLAG), file_format), "x").shape == (2, 3, 3)
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 2)
        for file_format in ("TIFF", "WEBP"):
            data = encoded(Image.fromarray(FLAG), file_format)
            with pytest.raises(ImageError, match=r"^x is above the size at which Pillow stops"):
                decode(data, "x")
    assert Image.MAX_IMAGE_PIXELS == 2


def test_files_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(ImageError) as caught:
        read_bytes(tmp_path / "gone.jpg")
    assert str(caught.value) == (
        f"{tmp_path / 'gone.jpg'} cannot be read (No such file or directory); check the path."
    )
    with pytest.raises(ImageError, match="is not a file; give a picture file"):
        read_bytes(tmp_path)
    with pytest.raises(ImageError, match="is not a file"):
        read_bytes(Path(os.devnull))
    with pytest.raises(ImageError, match="is not a path that a file can have"):
        read_bytes(Path("a\0b"))
    huge = tmp_path / "huge.jpg"
    with huge.open("wb") as file:
        file.truncate(2**30 + 1)
    with pytest.raises(ImageError, match="is larger than 1 GiB"):
        read_bytes(huge)


def test_read_bytes_and_content_hash(tmp_path: Path) -> None:
    path = tmp_path / "x.jpg"
    path.write_bytes(b"abc")
    assert read_bytes(path) == b"abc"
    # The SHA-256 of "abc" as FIPS 180-2 prints it.
    assert content_hash(b"abc").startswith("ba7816bf8f01cfea414140de5dae2223b00361a396177a9c")
    assert content_hash(b"") == hashlib.sha256().hexdigest()


def test_decode_from_several_threads_gives_the_same() -> None:
    noise = np.random.default_rng(2).integers(0, 256, (120, 90, 3), dtype=np.uint8)
    files = [
        encoded(Image.fromarray(noise), file_format)
        for file_format in ("JPEG", "PNG", "WEBP", "TIFF", "BMP")
    ]
    expected = [decode(data, "x") for data in files]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda data: decode(data, "x"), files * 8))
    for i, pixels in enumerate(found):
        np.testing.assert_array_equal(pixels, expected[i % len(files)])


SAMPLES = [
    encoded(Image.fromarray(FLAG).convert(mode), file_format)
    for file_format, mode in [
        ("JPEG", "RGB"),
        ("JPEG", "CMYK"),
        ("PNG", "P"),
        ("PNG", "RGBA"),
        ("WEBP", "RGB"),
        ("TIFF", "RGB"),
        ("BMP", "RGB"),
    ]
]


@settings(deadline=None, max_examples=300)
@given(
    data=st.sampled_from(SAMPLES),
    changes=st.lists(st.tuples(st.integers(0, 2000), st.binary(min_size=1, max_size=4))),
    cut=st.integers(0, 60),
)
@pytest.mark.filterwarnings("ignore")
def test_damage_gives_pixels_or_an_image_error(
    data: bytes, changes: list[tuple[int, bytes]], cut: int
) -> None:
    damaged = bytearray(data)
    for place, content in changes:
        at = place % len(damaged)
        damaged[at : at + len(content)] = content
    with suppress(ImageError):
        pixels = decode(bytes(damaged[: len(damaged) - cut]), "x", max_megapixels=1)
        assert pixels.ndim == 3
        assert pixels.shape[2] == 3
        assert pixels.dtype == np.uint8


NUMBERED = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3)


def test_crop_without_a_box_is_the_picture() -> None:
    assert crop(NUMBERED, None) is NUMBERED


@pytest.mark.parametrize(
    ("box", "rows", "columns"),
    [
        (Box(1, 2, 3, 4), slice(2, 4), slice(1, 3)),
        (Box(1.2, 1.9, 2.1, 2.0), slice(1, 2), slice(1, 3)),
        (Box(-5, -5, 2, 1), slice(0, 1), slice(0, 2)),
        (Box(4.5, 3.5, 99, 99), slice(3, 4), slice(4, 6)),
        (Box(-float("inf"), 0, float("inf"), 1), slice(0, 1), slice(0, 6)),
    ],
)
def test_crop_clips_and_rounds_outward(box: Box, rows: slice, columns: slice) -> None:
    part = crop(NUMBERED, box)
    np.testing.assert_array_equal(part, NUMBERED[rows, columns])
    assert part.flags.c_contiguous
    assert not np.shares_memory(part, NUMBERED)


@pytest.mark.parametrize(
    "box",
    [
        Box(6, 0, 9, 4),
        Box(-3, 0, 0, 4),
        Box(2, 2, 2, 3),
        Box(3, 0, 1, 4),
        Box(float("nan"), 0, 2, 2),
        Box(0, 0, 2, float("nan")),
    ],
)
def test_crop_of_nothing(box: Box) -> None:
    with pytest.raises(ImageError, match=r"has no area inside its picture of 6 x 4 pixels\.$"):
        crop(NUMBERED, box)


@given(st.tuples(*[st.floats(-8, 12)] * 4))
def test_crop_holds_every_pixel_that_the_box_touches(edges: tuple[float, ...]) -> None:
    box = Box(*edges)
    touched = np.array(
        [[Box(x, y, x + 1, y + 1).intersection(box) > 0 for x in range(6)] for y in range(4)]
    )
    if touched.any():
        np.testing.assert_array_equal(
            np.unique(crop(NUMBERED, box)[..., 0]), np.unique(NUMBERED[touched][:, 0])
        )


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", [None, *range(1, 9), 9])
def test_the_upright_size_is_that_of_the_decoded_picture(
    file_format: str, orientation: int | None
) -> None:
    exif = Image.Exif()
    if orientation is not None:
        exif[0x0112] = orientation
    stream = io.BytesIO()
    Image.new("RGB", (5, 3), "red").save(stream, file_format, exif=exif)
    size = (3, 5) if orientation in (5, 6, 7, 8) else (5, 3)
    assert upright_size(stream.getvalue(), "x") == size
    assert decode(stream.getvalue(), "x").shape[:2] == size[::-1]


def test_the_upright_size_is_read_without_the_pixels() -> None:
    stream = io.BytesIO()
    Image.new("RGB", (400, 300), "red").save(stream, "PNG")
    head = stream.getvalue()[:60]
    assert upright_size(head, "x") == (400, 300)
    with pytest.raises(ImageError, match="truncated or damaged"):
        decode(head, "x")


@pytest.mark.parametrize("data", [b"", b"no picture", b"\xff\xd8\xff\xe0" + b"\0" * 9, b"BM"])
def test_what_has_no_upright_size_gets_the_sentence_of_decoding(data: bytes) -> None:
    with pytest.raises(ImageError) as of_size:
        upright_size(data, "x")
    with pytest.raises(ImageError) as of_decoding:
        decode(data, "x")
    assert str(of_size.value) == str(of_decoding.value)


def test_the_upright_size_of_a_picture_that_is_too_large() -> None:
    stream = io.BytesIO()
    Image.new("L", (400, 300)).save(stream, "WEBP")
    with pytest.raises(ImageError, match=r"x has 400 x 300 pixels .*, above the limit of 0\.1;"):
        upright_size(stream.getvalue(), "x", max_megapixels=0.1)

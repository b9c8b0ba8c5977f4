import io

import numpy as np
import pytest
import torch
from PIL import Image

from giqa_lib.data import IMAGE_SUFFIXES, UnreadableImage, decode_image
from giqa_lib.data.decode import encode_jpeg, is_image_name, to_tensor


def png(image, **options):
    buffer = io.BytesIO()
    image.save(buffer, "PNG", **options)
    return buffer.getvalue()


def test_lossless_pixels_come_back_as_they_were():
    array = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    tensor = decode_image(png(Image.fromarray(array)), name="x")
    assert tensor.dtype == torch.uint8
    np.testing.assert_array_equal(tensor.permute(1, 2, 0).numpy(), array)


@pytest.mark.parametrize(
    ("mode", "channels"),
    [("1", 1), ("L", 1), ("LA", 1), ("P", 3), ("RGB", 3), ("RGBA", 3), ("I;16", 1)],
)
def test_modes_become_grey_or_colour(mode, channels):
    image = Image.new(mode, (4, 3))
    assert decode_image(png(image), name="x").shape == (channels, 3, 4)


def test_cmyk_jpeg_is_colour():
    buffer = io.BytesIO()
    Image.new("CMYK", (8, 8), (0, 255, 255, 0)).save(buffer, "JPEG", quality=95)
    red = decode_image(buffer.getvalue(), name="x").float().mean(dim=(1, 2))
    assert red[0] > 250
    assert red[1] < 5
    assert red[2] < 5


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_transparency_is_laid_on_white(mode):
    half = {"RGBA": (0, 0, 0, 128), "LA": (0, 128)}[mode]
    pixels = decode_image(png(Image.new(mode, (2, 2), half)), name="x")
    # white shines through by 127/255
    assert pixels.unique().tolist() == [127]


def test_transparent_palette_entry_is_white():
    image = Image.new("P", (2, 1))
    image.putpalette([10, 20, 30, 200, 100, 50])
    image.putdata([0, 1])
    pixels = decode_image(png(image, transparency=0), name="x")
    assert pixels[:, 0, 0].tolist() == [255, 255, 255]
    assert pixels[:, 0, 1].tolist() == [200, 100, 50]


def test_sixteen_bits_are_scaled_and_rounded():
    values = np.array([[0, 128, 129, 257, 32896, 65535]], dtype=np.uint16)
    pixels = decode_image(png(Image.fromarray(values)), name="x")
    assert pixels.flatten().tolist() == [0, 0, 1, 1, 128, 255]


def test_exif_orientation_is_applied():
    image = Image.new("RGB", (4, 2))
    image.putpixel((0, 0), (255, 255, 255))
    exif = Image.Exif()
    exif[274] = 6  # the top of the picture is at the right of the stored rows
    pixels = decode_image(png(image, exif=exif.tobytes()), name="x")
    assert pixels.shape == (3, 4, 2)
    assert pixels[0, 0, 1] == 255


def test_first_frame_of_an_animation():
    frames = [Image.new("L", (3, 3), value) for value in (10, 200)]
    buffer = io.BytesIO()
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:])
    assert int(decode_image(buffer.getvalue(), name="x").max()) == 10


def test_bad_files_say_their_name_and_why(bad_files):
    for name, (data, reason) in bad_files.items():
        with pytest.raises(UnreadableImage, match=rf"(?s){name}: .*{reason}"):
            decode_image(data, name=name)


def test_bad_files_on_disk(bad_files, tmp_path):
    for name, (data, reason) in bad_files.items():
        (tmp_path / name).write_bytes(data)
        with pytest.raises(UnreadableImage, match=rf"(?s){name}: .*{reason}"):
            decode_image(tmp_path / name, name=name)
    with pytest.raises(UnreadableImage, match="gone"):
        decode_image(tmp_path / "none.png", name="none.png")


def test_max_pixels_counts_from_the_header(encode):
    data = encode(size=(10, 10))
    assert decode_image(data, name="x", max_pixels=100).shape == (3, 10, 10)
    with pytest.raises(UnreadableImage, match="10 x 10 pixels, more than max_pixels=99"):
        decode_image(data, name="x", max_pixels=99)


def test_floats_and_postscript_are_refused():
    buffer = io.BytesIO()
    Image.new("F", (2, 2)).save(buffer, "TIFF")
    with pytest.raises(UnreadableImage, match="no stated range"):
        decode_image(buffer.getvalue(), name="x")
    with pytest.raises(UnreadableImage, match="not an image"):
        decode_image(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 4 4\n", name="x")
    with pytest.raises(ValueError, match=r"beyond 0\.\.65535"):
        to_tensor(Image.fromarray(np.array([[70_000]], dtype=np.int32)))


def test_suffixes():
    assert all(is_image_name(f"x/Y{suffix.upper()}") for suffix in IMAGE_SUFFIXES)
    assert not any(map(is_image_name, ["png", "a.txt", "a.png.txt", "a.eps", "png/a"]))


def test_jpeg_has_pillows_tables():
    data = encode_jpeg(Image.new("RGB", (16, 16)), quality=75)
    with Image.open(io.BytesIO(data)) as image:
        assert image.quantization[0][0] == 8
        assert image.layer[0][1:3] == (2, 2)

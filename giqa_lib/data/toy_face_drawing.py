"""How a toy face is drawn: geometry, light and colours of its parts, one painted over another.

Points lie on a grid of ``SCALE`` x ``SCALE`` a pixel. A pixel's colour is the mean of its points and its
part the one that most of them belong to, so that image and mask come from one geometry.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float32, UInt8
from numpy.typing import NDArray

__all__ = ["TOY_FACE_PARTS", "draw_face"]

TOY_FACE_PARTS = (
    "background",
    "hair",
    "skin",
    "brows",
    "eyes",
    "nose",
    "mouth",
    "clothing",
)
BACKGROUND, HAIR, SKIN, BROWS, EYES, NOSE, MOUTH, CLOTHING = range(len(TOY_FACE_PARTS))
SCALE = 3  # points a pixel and side

Field = NDArray[np.floating]
Points = NDArray[np.bool_]
SKINS = np.array([[245, 213, 190], [226, 180, 150], [190, 138, 105], [140, 94, 66], [92, 60, 44]])
HAIRS = np.array(
    [[34, 26, 24], [78, 50, 32], [140, 92, 50], [205, 165, 95], [150, 58, 32], [165, 162, 160]]
)
IRISES = np.array([[70, 45, 25], [60, 95, 140], [75, 110, 65], [110, 110, 115]])


@dataclass
class _Canvas:
    """Points at x, y in [-1, 1] (y down), their colours and the part each belongs to."""

    x: Field
    y: Field
    colours: Float32[np.ndarray, "s s 3"]
    parts: UInt8[np.ndarray, "s s"]

    def paint(
        self, where: Points, part: int, colour: NDArray[np.floating], shade: Field | float = 1.0
    ) -> None:
        """Cover the points ``where`` with ``colour`` (3,), lit by ``shade``."""
        light = np.broadcast_to(np.asarray(shade, np.float32), self.x.shape)[where]
        self.colours[where] = light[:, None] * colour.astype(np.float32)
        self.parts[where] = part


@dataclass(frozen=True, kw_only=True)
class _Head:
    """Where a head is and how it is lit; ``u``, ``v`` are points in its own upright coordinates."""

    u: Field
    v: Field
    width: float
    height: float
    yaw: float
    light: tuple[float, float, float]
    ambient: float

    def outline(self, grow: float = 1.0, jaw: float = 2.0) -> Points:
        """Points inside the head: an ellipse above, a superellipse of power ``jaw`` below."""
        across, down = np.abs(self.u) / (self.width * grow), np.abs(self.v) / (self.height * grow)
        above, below = across**2 + down**2 < 1, across**jaw + down**jaw < 1
        inside: Points = np.where(self.v < 0, above, below)
        return inside

    def shade(self, rise: float = 1.0) -> Field:
        """Lambert's light on an ellipsoid, from ``ambient`` to 1."""
        across, down = rise * self.u / self.width, rise * self.v / self.height
        depth = np.sqrt(np.maximum(1 - across**2 - down**2, 0.02))
        facing = across * self.light[0] + down * self.light[1] + depth * self.light[2]
        return (self.ambient + (1 - self.ambient) * np.maximum(facing, 0)).astype(np.float32)


def draw_face(
    seed: int, number: int, size: int
) -> tuple[UInt8[torch.Tensor, "3 h w"], UInt8[torch.Tensor, "h w"]]:
    """Face ``number`` of a seed and its mask.

    >>> [part.shape for part in draw_face(0, 0, 16)]
    [torch.Size([3, 16, 16]), torch.Size([16, 16])]
    """
    random = np.random.default_rng([seed, number])
    side = size * SCALE
    ticks = ((np.arange(side) + 0.5) / side * 2 - 1).astype(np.float32)
    y, x = np.meshgrid(ticks, ticks, indexing="ij")
    colours, parts = np.empty((side, side, 3), np.float32), np.zeros((side, side), np.uint8)
    canvas = _Canvas(x=x, y=y, colours=colours, parts=parts)
    head = _pose(canvas, random)
    skin = _mix(SKINS, random)
    hair = _mix(HAIRS, random) * random.uniform(0.85, 1.1)
    _background(canvas, random)
    cut = _back_hair(canvas, head, hair, random)
    _body(canvas, head, skin, random)
    _face(canvas, head, skin, random)
    _fringe(canvas, head, hair, cut, random)
    _mouth(canvas, head, skin, random)
    _nose(canvas, head, skin, random)
    _eyes_and_brows(canvas, head, skin, hair, random)
    return _develop(canvas, size, random)


def _mix(palette: NDArray[np.int64], random: np.random.Generator) -> NDArray[np.float64]:
    """A colour between two neighbours of a palette."""
    place = random.uniform(0, len(palette) - 1)
    low = int(place)
    mixed: NDArray[np.float64] = palette[low] + (place - low) * (palette[low + 1] - palette[low])
    return mixed


def _pose(canvas: _Canvas, random: np.random.Generator) -> _Head:
    width, height = random.uniform(0.40, 0.50), random.uniform(0.54, 0.64)
    roll, zoom = random.normal(0, 0.10), random.uniform(1.1, 1.35)
    left, down = random.normal(0, 0.05), random.normal(-0.02, 0.05)
    x, y = (canvas.x - left) / zoom, (canvas.y - down) / zoom
    u, v = np.cos(roll) * x + np.sin(roll) * y, -np.sin(roll) * x + np.cos(roll) * y
    light = np.array([random.uniform(-0.8, 0.8), random.uniform(-0.7, 0.1), 1.0])
    return _Head(
        u=u.astype(np.float32),
        v=v.astype(np.float32),
        width=width,
        height=height,
        yaw=float(np.clip(random.normal(0, 0.45), -1, 1)),
        light=tuple((light / np.linalg.norm(light)).tolist()),
        ambient=random.uniform(0.35, 0.6),
    )


def _background(canvas: _Canvas, random: np.random.Generator) -> None:
    first, second = random.uniform(50, 215, (2, 3))
    slope = random.uniform(-1, 1, 2)
    share = 0.5 + 0.35 * (slope[0] * canvas.x + slope[1] * canvas.y)
    place = random.uniform(-1, 1, 2)
    glow = np.exp(-((canvas.x - place[0]) ** 2 + (canvas.y - place[1]) ** 2) / 0.3)
    share = np.clip(share + random.uniform(-0.3, 0.3) * glow, 0, 1)[..., None]
    canvas.colours[:] = share * first + (1 - share) * second
    canvas.parts[:] = BACKGROUND


def _strands(head: _Head, random: np.random.Generator) -> Field:
    """Light and dark strands that run down from the parting."""
    angle = np.arctan2(head.u, head.v + 1.3)
    wave = random.uniform(0, 0.15) * np.sin(random.uniform(5, 12) * head.v)
    phase, rate = random.uniform(0, 6.3, 2), random.uniform(18, 45, 2)
    stripes = sum(np.sin(r * (angle + wave) + p) for r, p in zip(rate, phase, strict=True))
    return (0.9 + 0.12 * stripes).astype(np.float32) * head.shade(0.8)


def _back_hair(
    canvas: _Canvas, head: _Head, hair: NDArray[np.float64], random: np.random.Generator
) -> float:
    """Hair behind the head; returns how far down it reaches, in head coordinates."""
    volume = random.uniform(1.06, 1.3)
    length = random.uniform(-0.15, 1.15) * head.height
    crown = (head.u / (head.width * volume)) ** 2 + (head.v / (head.height * volume)) ** 2 < 1
    spread = head.width * volume * (1 + random.uniform(-0.1, 0.25) * np.maximum(head.v, 0))
    falling = (np.abs(head.u) < spread) & (head.v > 0) & (head.v < length - 0.3 * head.u**2)
    canvas.paint((crown & (head.v < length)) | falling, HAIR, hair * 0.8, _strands(head, random))
    return length


def _body(
    canvas: _Canvas, head: _Head, skin: NDArray[np.float64], random: np.random.Generator
) -> None:
    """Neck and shoulders in a plain or striped garment."""
    shade = head.shade(0.5)
    shadow = np.where(head.v < head.height * 1.12, 0.7, 0.88).astype(np.float32)
    canvas.paint((np.abs(head.u) < head.width * 0.52) & (head.v > 0.2), SKIN, skin, shade * shadow)
    off = np.abs(head.u)
    collar = random.uniform(0.66, 0.8) - random.uniform(-0.1, 0.3) * np.maximum(0.24 - off, 0)
    shoulder = collar + 0.4 * np.maximum(off - 0.45, 0) ** 2
    stripes = 1 + random.choice([0.0, 0.12]) * np.sin(random.uniform(20, 45) * head.v)
    canvas.paint(head.v > shoulder, CLOTHING, random.uniform(25, 235, 3), shade * stripes)


def _face(
    canvas: _Canvas, head: _Head, skin: NDArray[np.float64], random: np.random.Generator
) -> None:
    """Ears, head, cheeks."""
    shade = head.shade(0.95)
    for side in (-1, 1):
        # The ear that the head turns towards the viewer comes forward, the other goes behind.
        across = (head.u - side * head.width * (0.97 - 0.06 * side * head.yaw)) / 0.075
        ear = across**2 + ((head.v - 0.03) / 0.13) ** 2 < 1
        canvas.paint(ear, SKIN, skin * 0.9, shade)
    inside = head.outline(jaw=random.uniform(1.7, 2.4))
    canvas.paint(inside, SKIN, skin, shade)
    blush = random.uniform(0.0, 0.22) * sum(
        np.exp(-(((head.u - side * 0.24 - 0.08 * head.yaw) / 0.12) ** 2) - ((head.v - 0.17) / 0.1) ** 2)
        for side in (-1, 1)
    )  # fmt: skip
    tint = 1 - np.asarray(blush)[inside][:, None] * np.array([0.0, 0.35, 0.3])
    canvas.colours[inside] *= tint.astype(np.float32)


def _fringe(
    canvas: _Canvas,
    head: _Head,
    hair: NDArray[np.float64],
    length: float,
    random: np.random.Generator,
) -> None:
    """Hair on the forehead, above a line that bends at the parting, and at the temples."""
    parting, slant = random.uniform(-0.25, 0.25), random.uniform(-0.25, 0.25)
    off = head.u - parting
    line = (
        -head.height * random.uniform(0.50, 0.72) + slant * off + random.uniform(0.1, 1.1) * off**2
    )
    above = head.v < np.minimum(line, -0.24)
    temple = np.abs(head.u) > head.width * random.uniform(0.84, 0.98)
    aside = temple & (head.v < min(length, 0.25)) & (head.v < 0.1 + length)
    cap = head.outline(1.03)
    canvas.paint(cap & (above | aside), HAIR, hair, _strands(head, random))


def _mouth(
    canvas: _Canvas, head: _Head, skin: NDArray[np.float64], random: np.random.Generator
) -> None:
    """Two lips on a bent line, closed or open over teeth."""
    u = head.u - 0.13 * head.yaw
    half, bend = random.uniform(0.12, 0.19), random.uniform(-0.25, 1.3)
    middle = random.uniform(0.28, 0.34) * head.height / 0.59 + 0.03
    across = np.clip(u / half, -1, 1)
    line = middle - bend * (u**2 - 0.4 * half**2)
    taper = np.sqrt(1 - across**2) * (np.abs(u) < half)
    gap = max(0.0, random.normal(0.0, 0.03)) * taper
    bow = 1 - 0.35 * np.exp(-((u / 0.03) ** 2))
    upper, lower = line - gap - random.uniform(0.025, 0.045) * taper * bow, line + gap + random.uniform(0.035, 0.06) * taper  # fmt: skip
    lip = 0.55 * skin + 0.45 * np.array([random.uniform(150, 205), random.uniform(50, 95), 85.0])
    shade = head.shade(0.95)
    inside = (head.v > upper) & (head.v < lower)
    canvas.paint(inside, MOUTH, lip, shade * np.where(head.v < line, 0.82, 1.0).astype(np.float32))
    canvas.paint(inside & (np.abs(head.v - line) < np.maximum(gap, 0.006)), MOUTH, lip * 0.4)
    teeth = inside & (np.abs(head.v - line) < gap) & (head.v < line + 0.3 * gap)
    canvas.paint(teeth, MOUTH, np.array([238.0, 234.0, 226.0]), shade)


def _nose(
    canvas: _Canvas, head: _Head, skin: NDArray[np.float64], random: np.random.Generator
) -> None:
    """A wedge from the bridge to a round tip, lit on one side, with nostrils."""
    length, wide = random.uniform(0.26, 0.34), random.uniform(0.075, 0.115)
    top = -0.12
    down = np.clip((head.v - top) / length, 0, 1)
    u = head.u - head.yaw * (0.07 + 0.08 * down)
    half = wide * (0.32 + 0.68 * down**2)
    tip = (u / wide) ** 2 + ((head.v - top - 0.88 * length) / (0.16 * length)) ** 2 < 1
    wedge = (np.abs(u) < half) & (head.v > top) & (head.v < top + 0.9 * length)
    across = np.clip(u / np.maximum(half, 1e-3), -1, 1)
    turned = 1 - 0.3 * np.maximum(0, -np.sign(head.light[0] or 1.0) * across) * down
    ridge = 1 + 0.12 * np.exp(-((u / 0.02) ** 2)) * down
    canvas.paint(tip | wedge, NOSE, skin, head.shade(0.9) * (turned * ridge).astype(np.float32))
    for side in (-1, 1):
        hole = ((u - side * 0.5 * wide) / (0.24 * wide)) ** 2 + ((head.v - top - 0.96 * length) / 0.014) ** 2 < 1  # fmt: skip
        canvas.paint(hole, NOSE, skin * 0.35)


def _eyes_and_brows(
    canvas: _Canvas,
    head: _Head,
    skin: NDArray[np.float64],
    hair: NDArray[np.float64],
    random: np.random.Generator,
) -> None:
    """Eyes between two lids with iris, pupil and highlight; brows as bent bands above them."""
    apart, wide = random.uniform(0.185, 0.225), random.uniform(0.085, 0.115)
    opening, slant = random.uniform(0.032, 0.058), random.uniform(-0.15, 0.15)
    gaze = random.normal(0, 0.25)
    iris, lift = _mix(IRISES, random), random.uniform(0.095, 0.15)
    thick, arch, tilt = random.uniform(0.014, 0.032), random.uniform(0.5, 3.0), random.uniform(-0.2, 0.2)  # fmt: skip
    brow = 0.75 * hair * random.uniform(0.6, 1.0) + 0.25 * skin * 0.5
    shade = head.shade(0.9)
    for side in (-1, 1):
        narrow = 1 - 0.25 * side * head.yaw  # the far eye is foreshortened
        u = (head.u - side * apart * narrow - 0.09 * head.yaw) / narrow
        v = head.v + 0.06 - side * slant * u
        lids = opening * (1 - (u / wide) ** 2)
        eye = (np.abs(v) < lids) & (np.abs(u) < wide)
        canvas.paint((np.abs(v) < lids + 0.012) & (np.abs(u) < wide), EYES, skin * 0.3)
        canvas.paint(eye, EYES, np.array([240.0, 238.0, 234.0]), shade)
        away = np.hypot(u - gaze * 0.05 - 0.02 * head.yaw, v)
        canvas.paint(eye & (away < 0.042), EYES, iris)
        canvas.paint(eye & (away < 0.02), EYES, np.array([12.0, 10.0, 10.0]))
        glint = np.hypot(u - gaze * 0.05 - 0.015 * np.sign(head.light[0]), v + 0.015) < 0.01
        canvas.paint(eye & glint, EYES, np.array([250.0, 250.0, 250.0]))
        band = v + lift - arch * u**2 - side * tilt * u
        taper = thick * (1 - 0.6 * np.clip(side * u / wide, 0, 1))
        canvas.paint((np.abs(band) < taper) & (np.abs(u) < 1.2 * wide), BROWS, brow, shade)


def _develop(
    canvas: _Canvas, size: int, random: np.random.Generator
) -> tuple[UInt8[torch.Tensor, "3 h w"], UInt8[torch.Tensor, "h w"]]:
    """Points to pixels: mean colour with camera noise, and the commonest part."""
    blocks = canvas.colours.reshape(size, SCALE, size, SCALE, 3).mean(axis=(1, 3))
    noisy = blocks + random.normal(0, random.uniform(0.5, 3.0), blocks.shape)
    pixels = np.clip(np.rint(noisy), 0, 255).astype(np.uint8)
    counts = [
        (canvas.parts == part).reshape(size, SCALE, size, SCALE).sum(axis=(1, 3))
        for part in range(len(TOY_FACE_PARTS))
    ]
    mask = np.argmax(counts, axis=0).astype(np.uint8)
    image = torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1)))
    return image, torch.from_numpy(mask)

"""A gallery: one HTML file with the images and their scores, to be sorted and filtered.

The file holds everything itself and names no other host; its content policy forbids even the
attempt. File names are other people's text: they are escaped, never markup.
"""

import base64
import html
import io
from pathlib import Path

from PIL import Image

from giqa_lib.applications.folders import ScoredImages
from giqa_lib.cli.thumbnails import evenly_spaced, thumbnails
from giqa_lib.data import ImageSet

__all__ = ["gallery", "write_gallery"]

_BLOCK = 64  # images decoded at once


def gallery(
    images: ImageSet, scored: ScoredImages, *, title: str, count: int = 1000, side: int = 128
) -> str:
    """The HTML page: ``count`` of the scored images at evenly spaced ranks, all if there are fewer."""
    table = scored.table.iloc[evenly_spaced(len(scored.table), count)]
    cards = []
    for start in range(0, len(table), _BLOCK):
        part = table.iloc[start : start + _BLOCK]
        pictures = thumbnails(images, part["index"].tolist(), side=side)
        columns = (part[name].tolist() for name in ("rank", "name", "calibrated", "raw"))
        uris = (_data_uri(picture.permute(1, 2, 0).numpy()) for picture in pictures)
        cards += [_card(*row) for row in zip(*columns, uris, strict=True)]
    shown = "All" if len(table) == len(scored.table) else f"{len(table)} at evenly spaced ranks, of"
    about = f"{shown} {len(scored.table)} scored images; {len(scored.failures)} unreadable"
    return _PAGE.format(
        title=_text(title),
        about=_text(about),
        rule=_text(f"{scored.rule['rule']}; features: {scored.rule['features']}"),
        cards="\n".join(cards),
        side=side,
    )


def write_gallery(page: str, path: Path) -> None:
    """Write the page; letters that a file name has and UTF-8 has not are escaped."""
    path.write_bytes(page.encode("utf-8", errors="backslashreplace"))


def _card(rank: int, name: str, calibrated: float, raw: float, picture: str) -> str:
    words = _text(name)
    return (
        f'<figure data-rank="{rank}" data-name="{words}" data-calibrated="{calibrated!r}" '
        f'data-raw="{raw!r}"><img src="{picture}" alt="Image {words}, rank {rank}">'
        f"<figcaption><b>{calibrated:.3f}</b> rank {rank}<br><span>{words}</span>"
        "</figcaption></figure>"
    )


def _text(text: object) -> str:
    """Text for HTML, in attributes too; control characters are shown, not obeyed."""
    shown = "".join(one if one.isprintable() else repr(one)[1:-1] for one in str(text))
    return html.escape(shown, quote=True)


def _data_uri(pixels: object) -> str:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=85)  # type: ignore[arg-type]
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()


_PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ font: 15px/1.4 system-ui, sans-serif; margin: 1rem 1.5rem; }}
form {{ display: flex; flex-wrap: wrap; gap: 1rem; align-items: center; margin: 1rem 0; }}
main {{ display: grid; gap: .6rem; grid-template-columns: repeat(auto-fill, minmax({side}px, 1fr)); }}
figure {{ margin: 0; }}
img {{ width: 100%; background: #fff; border: 1px solid #bbb; box-sizing: border-box; }}
figcaption {{ font-size: 12px; overflow-wrap: anywhere; }}
</style>
</head>
<body>
<h1>{title}</h1>
<p>{about}. <b>The number is the calibrated score</b>: the share of held-out real images that score lower
({rule}).</p>
<form>
<label>Sort by <select id="key"><option value="rank">score, best first</option>
<option value="worst">score, worst first</option><option value="name">name</option></select></label>
<label>Lowest score <input id="low" type="range" min="0" max="1" step="0.01" value="0"></label>
<output id="shown" aria-live="polite"></output>
</form>
<main id="cards">
{cards}
</main>
<script>
const cards = document.getElementById("cards"), key = document.getElementById("key");
const low = document.getElementById("low"), shown = document.getElementById("shown");
const order = {{
  rank: (a, b) => a.dataset.rank - b.dataset.rank,
  worst: (a, b) => b.dataset.rank - a.dataset.rank,
  name: (a, b) => a.dataset.name < b.dataset.name ? -1 : 1,
}};
function update() {{
  const all = [...cards.children].sort(order[key.value]);
  let count = 0;
  for (const card of all) {{
    card.hidden = Number(card.dataset.calibrated) < Number(low.value);
    count += !card.hidden;
  }}
  cards.append(...all);
  shown.textContent = count + " shown, score at least " + Number(low.value).toFixed(2);
}}
key.addEventListener("change", update);
low.addEventListener("input", update);
update();
</script>
</body>
</html>
"""

"""The gallery in a real browser, without a network: its order, its filter, its pictures."""

import asyncio

import pytest
from browser import PROGRAM, browser

from giqa_lib.cli import read_scores

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="no Chromium on this machine")

SHOWN = "[...document.querySelectorAll('figure')].filter(one => one.offsetParent).map(one => one.dataset.name)"


def test_a_person_sorts_and_filters_with_keys_alone(scores, tmp_path):
    table = read_scores(scores).sort_values("rank")

    async def run():
        async with browser(tmp_path) as running:
            page = await running.tab()
            await page.open((scores / "gallery.html").as_uri())
            await page.until("[...document.images].every(one => one.naturalWidth > 0)")
            assert await page.ask(SHOWN) == table["name"].tolist()
            await page.ask("document.getElementById('key').focus()")
            await page.press("ArrowDown")
            assert await page.ask(SHOWN) == table["name"].tolist()[::-1]
            await page.press("ArrowDown")
            assert await page.ask(SHOWN) == sorted(table["name"])
            await page.press("ArrowUp")
            await page.press("ArrowUp")
            await page.ask("document.getElementById('low').focus()")
            for _ in range(50):
                await page.press("ArrowRight")
            best = table["name"][table["calibrated"] >= 0.5].tolist()
            assert 0 < len(best) < len(table)
            assert await page.ask(SHOWN) == best
            said = await page.ask("document.getElementById('shown').textContent")
            assert said == f"{len(best)} shown, score at least 0.50"
            # Nothing but the file itself was loaded.
            loaded = "performance.getEntriesByType('resource').map(one => one.name)"
            assert [name for name in await page.ask(loaded) if not name.startswith("data:")] == []

    asyncio.run(run())

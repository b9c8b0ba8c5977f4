"""The page in a real browser: keys, going on, a second tab, a server that is killed and comes back."""

import asyncio
import os
import signal
import subprocess
import sys

import pytest
from browser import PROGRAM, browser

from giqa_lib.collecting import Collector, Judgements, export_judgements

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="no Chromium on this machine")


def read(path):
    return export_judgements(path, training=True)


async def sign_in(page, name):
    await page.until("document.activeElement.id === 'subject'")
    await page.write(name)
    await page.press("Enter")


ASKING = (
    "!document.getElementById('ask').hidden && document.querySelectorAll('#images img').length > 0"
)


def question(number):
    return f"document.getElementById('where').textContent.includes('question {number} of')"


def test_a_person_rates_with_keys_alone_and_goes_on_in_another_browser(tmp_path, images, rating):
    path = tmp_path / "a.sqlite"

    async def run():
        collector = Collector(rating, images, Judgements(path, rating)).start()
        async with browser(tmp_path / "one") as one:
            page = await one.tab()
            await page.open(collector.address)
            await sign_in(page, "anna")
            await page.until("!document.getElementById('pause').hidden")
            await page.press("Enter")
            for number in range(1, 6):
                await page.until(f"{ASKING} && {question(number)}")
                training = await page.ask(
                    "document.getElementById('where').textContent.includes('training')"
                )
                assert training is (number <= 2)
                drawn = await page.ask("[...document.images].every(i => i.naturalWidth === 12)")
                assert drawn
                await page.press(str(number))
            await page.until(
                "document.getElementById('pause-text').textContent.includes('Session 1 of 2 is done')"
            )
        async with browser(tmp_path / "two") as two:
            page = await two.tab()
            await page.open(collector.address)
            await sign_in(page, "anna")
            await page.until("!document.getElementById('pause').hidden")
            await page.press("Enter")
            for number in range(6, 11):
                await page.until(f"{ASKING} && {question(number)}")
                await page.press("3")
            await page.until("!document.getElementById('done').hidden")
        await collector.close()

    asyncio.run(run())
    assert read(path)["vote"].tolist() == [1, 2, 3, 4, 5, 3, 3, 3, 3, 3]
    assert (read(path)["seconds"] > 0).all()


def test_a_second_tab_is_told_and_goes_on(tmp_path, images, rating):
    path = tmp_path / "a.sqlite"

    async def run():
        collector = Collector(rating, images, Judgements(path, rating)).start()
        async with browser(tmp_path / "one") as one:
            tabs = [await one.tab() for _ in range(2)]
            for tab in tabs:
                await tab.open(collector.address)
                await tab.until("document.activeElement.id === 'subject'")
                await tab.ask("document.getElementById('subject').value = 'anna'")
                await tab.ask("document.getElementById('who').requestSubmit()")
                await tab.until("!document.getElementById('pause').hidden")
                await tab.ask("document.getElementById('continue').click()")
                await tab.until(f"{ASKING} && {question(1)}")
            await tabs[0].press("5")
            await tabs[0].until(question(2))
            await tabs[1].press("1")
            await tabs[1].until(f"{ASKING} && {question(2)}")
            said = await tabs[1].ask("document.getElementById('error').textContent")
            assert "answered already" in said
        await collector.close()

    asyncio.run(run())
    assert read(path)["vote"].tolist() == [5]


def test_a_pair_is_chosen_by_arrow_keys_and_the_right_image_is_kept(tmp_path, images, choice):
    path, asked = tmp_path / "a.sqlite", choice.questions("ben")

    async def run():
        collector = Collector(choice, images, Judgements(path, choice)).start()
        async with browser(tmp_path / "one") as one:
            page = await one.tab()
            await page.open(collector.address)
            await sign_in(page, "ben")
            await page.until("!document.getElementById('pause').hidden")
            await page.press("Enter")
            for number, key in ((1, "ArrowLeft"), (2, "ArrowRight")):
                await page.until(f"{ASKING} && {question(number)}")
                sources = await page.ask(
                    "[...document.querySelectorAll('#images img')].map(i => i.getAttribute('src'))"
                )
                assert sources == [f"image/ben/{number - 1}/{side}" for side in (0, 1)]
                await page.press(key)
            await page.until(question(3))
        await collector.close()

    asyncio.run(run())
    assert export_judgements(path)["better"].tolist() == [asked[0].images[0], asked[1].images[1]]


SERVE = "from giqa_lib.collecting.__main__ import main; import sys; sys.exit(main())"


def start(folder, path, port):
    arguments = [
        "serve",
        str(folder),
        "--answers",
        str(path),
        "--port",
        str(port),
        "--training",
        "0",
    ]
    server = subprocess.Popen(
        [sys.executable, "-c", SERVE, *arguments], stdout=subprocess.PIPE, text=True
    )
    return server, server.stdout.readline().split()[1]


def test_an_answer_given_to_a_killed_server_is_kept_when_it_comes_back(tmp_path, folder):
    path = tmp_path / "a.sqlite"
    server, address = start(folder, path, 0)
    port = int(address.rstrip("/").rpartition(":")[2])

    async def run():
        async with browser(tmp_path / "one") as one:
            page = await one.tab()
            await page.open(address)
            await sign_in(page, "anna")
            await page.until("!document.getElementById('pause').hidden")
            await page.press("Enter")
            await page.until(f"{ASKING} && {question(1)}")
            await page.press("4")
            await page.until(f"{ASKING} && {question(2)}")
            os.kill(server.pid, signal.SIGKILL)
            server.stdout.close()
            server.wait()
            await page.press("2")
            await page.until(
                "document.getElementById('error').textContent.includes('Not saved yet')"
            )
            again, _ = start(folder, path, port)
            await page.until(f"{ASKING} && {question(3)}")
            assert await page.ask("document.getElementById('error').textContent") == ""
            again.terminate()
            again.stdout.close()
            assert again.wait() == 0

    asyncio.run(run())
    assert read(path)["vote"].tolist() == [4, 2]


def test_the_page_fetches_from_nowhere_else_and_reads_without_colour_or_mouse(
    tmp_path, images, rating
):
    async def run():
        collector = Collector(rating, images, Judgements(tmp_path / "a.sqlite", rating)).start()
        async with browser(tmp_path / "one") as one:
            page = await one.tab()
            await page.open(collector.address)
            await sign_in(page, "anna")
            await page.until("!document.getElementById('pause').hidden")
            await page.press("Enter")
            await page.until(f"{ASKING} && {question(1)}")
            hosts = await page.ask(
                "performance.getEntriesByType('resource').map(e => new URL(e.name).host)"
            )
            assert set(hosts) == {f"127.0.0.1:{collector.port}"}
            assert await page.ask("[...document.images].every(i => i.alt !== '')")
            assert await page.ask(
                "[...document.querySelectorAll('input')].every(i => i.closest('label'))"
            )
            assert await page.ask("document.documentElement.lang") == "en"
            focused = await page.ask(
                "(() => { document.querySelector('#answers button').focus(); return document.activeElement.textContent })()"
            )
            assert focused == "1 Bad"
            await page.press("Enter")
            await page.until(question(2))
        await collector.close()

    asyncio.run(run())


def test_an_image_that_does_not_come_is_not_judged(tmp_path, folder, images, rating):
    path, first = tmp_path / "a.sqlite", rating.questions("anna")[0].images[0]
    kept = (folder / first).read_bytes()
    (folder / first).unlink()

    async def run():
        collector = Collector(rating, images, Judgements(path, rating)).start()
        async with browser(tmp_path / "one") as one:
            page = await one.tab()
            await page.open(collector.address)
            await sign_in(page, "anna")
            await page.until("!document.getElementById('pause').hidden")
            await page.press("Enter")
            said = "document.getElementById('error').textContent"
            await page.until(f"{said}.includes('does not come')")
            await page.press("5")
            assert await page.ask("document.getElementById('ask').hidden")
            (folder / first).write_bytes(kept)
            await page.until(f"{ASKING} && {question(1)}")
            assert await page.ask(said) == ""
            await page.press("2")
            await page.until(question(2))
        await collector.close()

    asyncio.run(run())
    assert read(path)["vote"].tolist() == [2]


def test_images_that_cannot_be_read_are_named_before_anybody_is_asked(tmp_path, folder):
    (folder / "broken.png").write_bytes(b"no image")
    arguments = ["serve", str(folder), "--answers", str(tmp_path / "a.sqlite"), "--port", "0"]
    with subprocess.Popen(
        [sys.executable, "-c", SERVE, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stdout.readline().startswith("Open http://127.0.0.1:")
        server.terminate()
        _, said = server.communicate(timeout=60)
    assert said.startswith("left out: broken.png: ")
    assert len(said.splitlines()) == 1

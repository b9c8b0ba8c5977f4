"""What the server takes from a browser, and what it refuses."""

import asyncio
import io
import json

import numpy as np
import pytest
import torch
from PIL import Image
from tornado.httpclient import AsyncHTTPClient, HTTPRequest

from giqa_lib.checks import InputError
from giqa_lib.collecting import Collector, Judgements, StudyPlan, export_judgements


@pytest.fixture
def make(tmp_path, images):
    made = []

    def one(plan, **options):
        collector = Collector(plan, images, Judgements(tmp_path / "a.sqlite", plan), **options)
        made.append(collector)
        return collector

    yield one
    for collector in made:
        collector.stop()


def talk(collector, *requests):
    """(status, body) of each request, in turn, to a served collector."""

    async def run():
        collector.start()
        client, found = AsyncHTTPClient(force_instance=True), []
        for path, options in requests:
            url = f"http://127.0.0.1:{collector.port}{path}"
            reply = await client.fetch(HTTPRequest(url, **options), raise_error=False)
            found.append((reply.code, reply.body))
        client.close()
        await collector.close()
        return found

    return asyncio.run(run())


def judging(body, **headers):
    given = {"Content-Type": "application/json"} | headers
    sent = body if isinstance(body, str) else json.dumps(body)
    return "/judge", {"method": "POST", "body": sent, "headers": given}


def answer(position, value, subject="anna", **more):
    return judging({"subject": subject, "position": position, "answer": value, **more})


def test_a_study_runs_from_its_first_question_to_its_last(make, rating, tmp_path):
    total = len(rating.questions("anna"))
    talked = talk(
        make(rating), ("/next?subject=anna", {}), *[answer(i, 1 + i % 5) for i in range(total)]
    )
    states = [json.loads(body) for _, body in talked]
    assert [code for code, _ in talked] == [200] * (total + 1)
    assert [state["answered"] for state in states] == list(range(total + 1))
    assert [state.get("session") for state in states] == [1] * 5 + [2] * 5 + [None]
    assert [state.get("opens_session") for state in states[:6]] == [True] + [False] * 4 + [True]
    assert states[-1]["done"]
    exported = export_judgements(tmp_path / "a.sqlite", training=True)
    expected = [q.images[0] for q in rating.questions("anna")]
    assert exported["image"].tolist() == expected
    assert exported["vote"].tolist() == [1 + i % 5 for i in range(total)]


def test_a_second_tab_cannot_count_twice(make, rating, tmp_path):
    talked = talk(make(rating), answer(0, 5), answer(0, 1))
    assert [code for code, _ in talked] == [200, 409]
    assert json.loads(talked[1][1])["position"] == 1
    assert export_judgements(tmp_path / "a.sqlite", training=True)["vote"].tolist() == [5]


def test_a_choice_is_kept_by_the_images_name_not_the_browsers_word(make, choice, tmp_path):
    questions = choice.questions("anna")
    talk(make(choice), answer(0, "left"), answer(1, "right"))
    found = export_judgements(tmp_path / "a.sqlite")
    assert found["better"].tolist() == [questions[0].images[0], questions[1].images[1]]


@pytest.mark.parametrize(
    "body",
    [
        {"subject": "anna", "position": 0, "answer": 6},
        {"subject": "anna", "position": 0, "answer": 0},
        {"subject": "anna", "position": 0, "answer": "5"},
        {"subject": "anna", "position": 0, "answer": True},
        {"subject": "anna", "position": 0, "answer": 4.5},
        {"subject": "anna", "position": 0},
        {"subject": "anna", "position": 3, "answer": 4},
        {"subject": "anna", "position": -1, "answer": 4},
        {"subject": "anna", "position": 10**9, "answer": 4},
        {"subject": "anna", "position": "0", "answer": 4},
        {"subject": "../etc", "position": 0, "answer": 4},
        {"subject": "", "position": 0, "answer": 4},
        {"subject": "a" * 41, "position": 0, "answer": 4},
        {"subject": ["anna"], "position": 0, "answer": 4},
        {"subject": "anna", "position": 0, "answer": 4, "comment": "x" * 501},
        {"subject": "anna", "position": 0, "answer": 4, "comment": {"a": 1}},
        [1, 2],
        "{not json",
        "[" * 2000,
    ],
)
def test_answers_that_are_none_are_refused_and_nothing_is_kept(make, rating, tmp_path, body):
    ((code, said),) = talk(make(rating), judging(body))
    assert code == 400
    assert "expected" in json.loads(said)["error"]
    assert export_judgements(tmp_path / "a.sqlite", training=True).empty


def test_a_comment_is_text_and_odd_times_are_dropped(make, rating, tmp_path):
    sent = answer(0, 4, comment="Bobby'); DROP TABLE judgement;--\x00\x1b[31m", seconds="soon")
    talk(make(rating), sent, answer(1, 2, seconds=-5), answer(2, 3, seconds=2.5))
    found = export_judgements(tmp_path / "a.sqlite", training=True)
    assert found["comment"][0] == "Bobby'); DROP TABLE judgement;--[31m"
    assert found["seconds"].isna().tolist() == [True, True, False]


def test_an_image_comes_decoded_and_only_by_its_question(make, rating, images):
    question = rating.questions("anna")[3]
    paths = [
        "/image/anna/3/0",
        "/image/anna/99/0",
        "/image/anna/3/1",
        "/image/anna/../0",
        "/image/../../x",
    ]
    talked = talk(make(rating), *[(path, {}) for path in paths])
    assert [code for code, _ in talked] == [200, 404, 404, 404, 404]
    shown = torch.from_numpy(np.array(Image.open(io.BytesIO(talked[0][1])).convert("RGB")))
    place = list(images.names).index(question.images[0])
    assert torch.equal(shown.permute(2, 0, 1), images[place].expand(3, -1, -1))


def test_other_hosts_names_sites_and_forms_are_refused(make, rating):
    next_one = "/next?subject=anna"
    rebound = (next_one, {"headers": {"Host": "evil.example"}})
    foreign = answer(0, 4)[1] | {
        "headers": {"Content-Type": "application/json", "Origin": "http://evil.example"}
    }
    form = answer(0, 4)[1] | {"headers": {"Content-Type": "text/plain"}}
    talked = talk(
        make(rating),
        rebound,
        ("/judge", foreign),
        ("/judge", form),
        ("/judge", {}),
        ("/nothing", {}),
    )
    assert [code for code, _ in talked] == [403, 403, 415, 405, 404]


def test_a_long_body_is_refused(make, rating, tmp_path):
    talked = talk(
        make(rating),
        judging({"subject": "anna", "comment": "x" * 10_000}),
        ("/next?subject=anna", {}),
    )
    assert talked[0][0] in (400, 413, 599)  # the connection may be closed on it
    assert talked[1][0] == 200


def test_beyond_this_machine_a_token_is_needed(make, rating):
    collector = make(rating, host="0.0.0.0")
    assert len(collector.token) >= 20
    assert f"?token={collector.token}" in collector.address
    good = f"/next?subject=anna&token={collector.token}"
    talked = talk(collector, ("/", {}), ("/next?subject=anna&token=x", {}), (good, {}))
    assert [code for code, _ in talked] == [403, 403, 200]


def test_on_this_machine_there_is_no_token(make, rating):
    collector = make(rating)
    assert (collector.token, collector.local) == ("", True)
    assert collector.address == f"http://127.0.0.1:{collector.port}/"
    assert f'src="{collector.address}"' in collector._repr_html_()


def test_a_plan_of_other_images_is_refused(images, tmp_path):
    plan = StudyPlan(kind="rating", items=(("missing.png",),))
    with pytest.raises(InputError, match=r"plan: expected names of images, got 'missing\.png'"):
        Collector(plan, images, Judgements(tmp_path / "a.sqlite", plan))

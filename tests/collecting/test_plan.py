import pytest

from giqa_lib.checks import InputError
from giqa_lib.collecting import StudyPlan, read_pairs

PLAN = StudyPlan(
    kind="rating", items=tuple((str(i),) for i in range(23)), sessions=4, training=3, seed=1
)


def asked(plan, subject, session):
    return {q.images for q in plan.questions(subject) if q.session == session and not q.training}


def test_sessions_share_no_image_and_are_those_of_every_observer():
    parts = [asked(PLAN, "anna", session) for session in range(1, 5)]
    assert sum(map(len, parts)) == len(set().union(*parts)) == 20
    assert {len(part) for part in parts} == {5}
    assert parts == [asked(PLAN, "ben", session) for session in range(1, 5)]


def test_training_comes_first_in_each_session_and_is_the_same_for_all():
    for subject in ("anna", "ben"):
        questions = PLAN.questions(subject)
        assert [q.position for q in questions] == list(range(4 * 8))
        for session in range(1, 5):
            mine = [q for q in questions if q.session == session]
            assert [q.training for q in mine] == [True] * 3 + [False] * 5
    first, second = (PLAN.questions(subject)[:3] for subject in ("anna", "ben"))
    assert first == second


def test_orders_are_each_observers_own_and_stay():
    orders = [[q.images for q in PLAN.questions(name)] for name in ("anna", "ben", "anna")]
    assert orders[0] == orders[2] != orders[1]


def test_sides_of_a_choice_are_drawn_for_each_observer():
    plan = StudyPlan(kind="choice", items=tuple((f"a{i}", f"b{i}") for i in range(60)), seed=0)
    left = [q.images[0].startswith("a") for q in plan.questions("anna")]
    assert 15 < sum(left) < 45
    assert all(set(q.images) in [set(item) for item in plan.items] for q in plan.questions("anna"))


def test_the_digest_is_that_of_the_questions():
    same = StudyPlan(kind="rating", items=PLAN.items, sessions=4, training=3, seed=1)
    other = StudyPlan(kind="rating", items=PLAN.items, sessions=4, training=3, seed=2)
    assert PLAN.digest == same.digest != other.digest


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "ranking"}, "kind: expected one of"),
        ({"items": (("a",), ("a",))}, "got one of them twice"),
        ({"items": (("a", "b"),)}, "1 different image a question"),
        ({"kind": "choice", "items": (("a", "a"),)}, "2 different images a question"),
        ({"training": 2}, r"at least one a session \(2\), got 3 questions, 2 of them for training"),
        ({"sessions": 0}, "sessions"),
        ({"training": -1}, "training"),
    ],
)
def test_plans_that_cannot_be_are_refused(change, message):
    good = {"kind": "rating", "items": (("a",), ("b",), ("c",)), "sessions": 2, "training": 0}
    with pytest.raises(InputError, match=message):
        StudyPlan(**(good | change))


def test_pairs_are_read_and_checked(tmp_path):
    path = tmp_path / "pairs.csv"
    path.write_text("first,second\na.png,b.png\n")
    assert read_pairs(path, ["a.png", "b.png"]) == (("a.png", "b.png"),)
    with pytest.raises(InputError, match=r"names of the images, got 'b\.png' in line 2"):
        read_pairs(path, ["a.png"])
    path.write_text("left,right\na.png,b.png\n")
    with pytest.raises(InputError, match="the columns first and second, got left, right"):
        read_pairs(path, ["a.png", "b.png"])
    path.write_text("first,second\n")
    with pytest.raises(InputError, match="got no rows"):
        read_pairs(path, ["a.png"])

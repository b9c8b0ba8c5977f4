import pytest
from matplotlib.text import Annotation

from giqa_lib.checks import InputError
from giqa_lib.figures import diagram

BOXES = {"z": (0.0, 0.0), "G": (1.0, 0.0), "D": (2.0, 1.0)}


def test_boxes_stand_where_they_are_told_and_arrows_between_them():
    plot = diagram(BOXES, [("z", "G", ""), ("G", "D", "images")], plain=["z"])
    (axes,) = plot.figure.axes
    arrows = [text for text in axes.texts if isinstance(text, Annotation)]
    assert [(arrow.xyann, arrow.xy) for arrow in arrows] == [
        ((0.0, 0.0), (1.0, 0.0)),
        ((1.0, 0.0), (2.0, 1.0)),
    ]
    told = {text.get_text(): text.get_position() for text in axes.texts if text.get_text()}
    assert told == {**BOXES, "images": (1.5, 0.5)}
    assert axes.yaxis_inverted()  # row 0 is at the top
    assert plot.data.values.tolist() == [["z", "G", ""], ["G", "D", "images"]]
    assert plot.alt == "Diagram of 3 boxes: z, G and D. Arrows: z to G and G to D (images)."


@pytest.mark.parametrize(("arrows", "got"), [([("z", "E", "")], "got E"), ([], "got no arrow")])
def test_an_arrow_needs_two_boxes(arrows, got):
    with pytest.raises(InputError, match=got):
        diagram(BOXES, arrows)

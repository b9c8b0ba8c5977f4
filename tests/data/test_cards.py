import pytest

from giqa_lib.data import dataset_card, dataset_names


@pytest.mark.parametrize("name", dataset_names())
def test_cards_are_complete(name):
    card = dataset_card(name)
    assert card.name == name
    for text in (card.description, card.size, card.licence, card.citation, card.access):
        assert text.strip()
    assert card.homepage is None if name == "toy-faces" else card.homepage.startswith("http")
    assert card.images > 0
    assert f"{card.images:,}" in card.size
    assert len(set(card.classes)) == len(card.classes)


def test_every_set_of_the_book_has_one():
    named = (
        "fashion-mnist mnist cifar10 cifar100 celebamask faces64-human agiqa-3k cifake gan-ladder"
        " ffhq lsun-cat lsun-car lsun-bedroom cityscapes celeba-hq digits toy-faces"
    )
    assert set(named.split()) == set(dataset_names())

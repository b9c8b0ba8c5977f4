"""Under which kind and key a function looks something up in the store, without making it."""

from giqa_lib.store import Store, config_hash


class _Asked(Exception):
    pass


def key_asked_for(monkeypatch, fetch):
    """(kind, key) of the first thing that ``fetch(store)`` asks the store for."""

    def answer(_, kind, config, *rest):
        raise _Asked(kind, config_hash(config))

    monkeypatch.setattr(Store, "fetch_saved", answer)
    try:
        fetch(Store("nowhere"))
    except _Asked as asked:
        return asked.args
    raise AssertionError("it did not ask the store")

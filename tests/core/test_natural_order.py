from lib_trainer.core.natural_order import natural_key


def test_numbers_count_as_numbers_and_letters_whatever_their_case():
    names = ["b10", "B9", "a", "10", "9", "b", "b9a", "b9-2", ""]
    assert sorted(names, key=natural_key) == ["", "a", "b", "B9", "b9-2", "b9a", "b10", "9", "10"]

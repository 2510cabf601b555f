import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inward_retrieval.terms import words


@given(st.text(st.characters(codec="ascii")))
def test_the_fast_way_for_ascii_is_the_plain_way(text):
    assert words(text) == [word.encode() for word in re.findall("[a-z0-9]+", text.lower())]


@given(st.text())
def test_any_text_gives_words_of_letters_and_digits(text):
    for word in words(text):
        assert re.fullmatch(r"[^\W_]+", word.decode())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It's “Korvin’s” ship—gone…", ["it", "s", "korvin", "s", "ship", "gone"]),
        ("東京タワー 2 km", ["東", "京", "タ", "ワ", "ー", "2", "km"]),
        ("ÉCOLE Straße", ["école", "straße"]),
        ("\ud800", []),
    ],
)
def test_words(text, expected):
    assert [word.decode() for word in words(text)] == expected

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inward_retrieval.terms import words

SPACELESS = "[\u3040-\u3098\u309d-\u30ff\u3105-\u312f\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]"


@given(
    st.one_of(
        st.text(st.characters(codec="ascii")),
        st.text(st.characters(max_codepoint=0xFFFF)),
        st.text(st.sampled_from("aZ9_'’—é\u0301İßﬁ東ーカ한😀\ud800 .")),
    )
)
def test_words_are_what_a_plain_pattern_finds(text):
    plain = text if text.isascii() else unicodedata.normalize("NFKC", text)
    spaced = re.sub(SPACELESS, r" \g<0> ", plain.lower())
    assert words(text) == [word.encode() for word in re.findall(r"[^\W_]+", spaced)]


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

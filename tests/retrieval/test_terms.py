import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inward_retrieval import Bm25Config, build_retriever
from inward_retrieval.terms import words

SPACELESS = (
    "[\u3040-\u3098\u309d-\u30ff\u3105-\u312f\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\U00020000-\U00031fff]"
    "|[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]"
)
UNSEEN = re.compile("[\u034f\u0640\u180b-\u180f\ufe00-\ufe0f]")
APOSTROPHES = re.compile("[\u02b9-\u02bf\u02c8]")


def is_mark(sign):
    return unicodedata.category(sign).startswith("M")


def one_sign_at_a_time(text):
    """What `words` returns, by its definition."""
    text = re.sub("[¼-¾⅐-⅞↉]", r" \g<0>", text)
    text = "".join(
        sign
        for sign in unicodedata.normalize("NFKC", text).lower().replace("i\u0307", "i")
        if not UNSEEN.match(sign)
        and (unicodedata.category(sign) not in ("Cf", "Me") or sign == "\u200b")
    )
    text = unicodedata.normalize("NFKC", text).replace("i\u0307", "i")
    found, state = [], "between"
    for sign in text:
        if sign.isalnum() and not APOSTROPHES.match(sign):
            spaceless = re.match(SPACELESS, sign) and unicodedata.category(sign) != "Nd"
            if spaceless or state != "in a word":
                found.append(sign)
            else:
                found[-1] += sign
            state = "behind a letter by itself" if spaceless else "in a word"
        elif is_mark(sign) and state != "between":
            found[-1] += sign
        else:
            state = "between"
    return [word.encode() for word in found]


@given(
    st.one_of(
        st.text(st.characters(codec="ascii")),
        st.text(st.characters(max_codepoint=0xFFFF)),
        st.text(
            st.sampled_from(
                "aZ9_'’—é\u0301\u0323İßﬁ東ーカ\u3099\u309a한😀\ud800 .\u00ad\u200d\u200b\ufe0f"
                "\u20e3\u0939\u093f\u094d\u0e20\u0e31\u0e51ʼ½²"
            )
        ),
    )
)
def test_words_are_what_their_definition_says(text):
    assert words(text) == one_sign_at_a_time(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It's “Korvin’s” ship—gone…", ["it", "s", "korvin", "s", "ship", "gone"]),
        ("東京タワー 2 km", ["東", "京", "タ", "ワ", "ー", "2", "km"]),
        ("ÉCOLE Straße", ["école", "straße"]),
        ("\ud800", []),
        ("हिन्दी भाषा", ["हिन्दी", "भाषा"]),
        ("שָׁלוֹם x\u0301y", ["שָׁלוֹם", "x\u0301y"]),
        ("ภาษา ๑๒", ["ภ", "า", "ษ", "า", "๑๒"]),
        (" \u0301 _\u0301 —\u0301a", ["a"]),
        ("2½ hours", ["2", "1", "2", "hours"]),
        ("lamp\u200bpost", ["lamp", "post"]),
    ],
)
def test_words(text, expected):
    assert [word.decode() for word in words(text)] == expected


SAME = [
    ("cafe\u0301", "café"),
    ("CAFE\u0301", "café"),
    ("a\u0323\u0301", "a\u0301\u0323"),
    ("co\u00adoperate", "cooperate"),
    ("e\u00ad\u0301te", "éte"),
    ("\ufeffword", "word"),
    ("wo\u2060rd\u200e", "word"),
    ("क\u094d\u200dष", "क\u094dष"),
    ("می\u200cخواهم", "میخواهم"),
    ("ك\u0640تاب", "كتاب"),
    ("it’s", "it's"),
    ("itʼs", "it's"),
    ("it＇s", "it's"),
    ("Hawaiʻi", "Hawai'i"),
    ("ﬁnd", "find"),
    ("ＦＵＬＬ", "full"),
    ("İstanbul", "istanbul"),
    ("か\u3099", "が"),
    ("東\ufe00京", "東京"),
    ("1\ufe0f\u20e3", "1"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
async def test_what_readers_take_for_one_word_is_one_term(one, other):
    assert words(one) == words(other) != []
    documents = {"d": f"Nothing of that here. {one} stands here. And nothing there."}
    retriever = build_retriever(documents, Bm25Config(chunk_words=4))
    [hit] = await retriever.search("d", other, 9)
    assert one in hit.chunk.text

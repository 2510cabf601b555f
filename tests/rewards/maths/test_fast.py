"""The fast path decides only what math-verify, alone and as the verifier uses it, decides alike."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from inward_rewards.maths import fast
from inward_rewards.maths.check import check
from math_verify import parse, verify


def agrees(gold, answer):
    decided = fast.decide(gold, answer)
    if decided is None:
        return
    forms = [parse(f"\\boxed{{{text}}}", parsing_timeout=None) for text in (gold, answer)]
    assert verify(*forms, timeout_seconds=None) == decided
    assert (check(gold, answer) == "equal") == decided


def written(value, style):
    """A fraction as a policy may write it."""
    top, bottom, places = value
    if style == "integer":
        return str(top)
    if style == "decimal":
        return f"{top / bottom:.{places}f}"
    if style == "scaled":
        return f"\\frac{{{top * 3}}}{{{bottom * 3}}}"
    if style == "dollars":
        return f"${top}/{bottom}$"
    sign, size = ("-", -top) if top < 0 else ("", top)
    return f"{sign}\\{style}{{{size}}}{{{bottom}}}"


STYLES = st.sampled_from(["integer", "decimal", "scaled", "dollars", "frac", "dfrac", "tfrac"])
VALUES = st.tuples(
    st.one_of(st.integers(-30, 30), st.integers(-(10**15), 10**15)),
    st.one_of(st.integers(1, 12), st.integers(1, 10**15)),
    st.integers(0, 9),
)


@settings(max_examples=150)
@given(VALUES, STYLES, STYLES)
def test_one_value_in_two_notations(value, gold_style, answer_style):
    agrees(written(value, gold_style), written(value, answer_style))


@settings(max_examples=150)
@given(VALUES, VALUES, STYLES, STYLES)
def test_two_values(gold, answer, gold_style, answer_style):
    agrees(written(gold, gold_style), written(answer, answer_style))


@settings(max_examples=80)
@given(
    st.lists(VALUES, min_size=1, max_size=3),
    st.lists(VALUES, min_size=1, max_size=3),
    st.lists(STYLES, min_size=6, max_size=6),
    st.sampled_from(["()", "[]", "(]", "[)"]),
    st.sampled_from([",", ", ", " , "]),
    st.booleans(),
)
def test_points_and_intervals(gold, answer, styles, brackets, comma, same):
    texts = [
        brackets[0] + comma.join(map(written, values, styles[3 * side :])) + brackets[1]
        for side, values in enumerate([gold, gold if same else answer])
    ]
    agrees(*(text.replace("$", "") for text in texts))


@settings(max_examples=150)
@given(st.integers(-(10**6), 10**6), st.integers(-200, 200), st.integers(1, 9), st.booleans())
def test_near_decimals(value, difference, places, swap):
    """Around the sixth place, where math-verify rounds."""
    pair = [f"{value / 10**places:.{places}f}", f"{(value * 100 + difference) / 10**places / 100}"]
    agrees(*(pair[::-1] if swap else pair))


TERMS = st.sampled_from(
    ["x", "2y", "3", r"\frac{1}{2}", r"\sqrt{5}", r"\pi", "x^2", "(a+1)", "7.5"]
)
EXPRESSIONS = st.lists(TERMS, min_size=1, max_size=4).flatmap(
    lambda terms: st.sampled_from(["+", "-", r" \cdot "]).map(lambda sign: sign.join(terms))
)


@settings(max_examples=80)
@given(EXPRESSIONS)
def test_identical_expressions(text):
    assert fast.decide(text, text) is True
    agrees(text, text)


@settings(max_examples=80)
@given(EXPRESSIONS, st.booleans(), st.booleans(), st.booleans(), st.booleans())
def test_typeset_expressions(text, spaced, brackets, frac, dollars):
    typeset = f"({text})"
    if brackets:
        typeset = typeset.replace("(", r"\left(").replace(")", r"\right)")
    if spaced:
        typeset = typeset.replace("+", " + ").replace("-", " -").replace("(", "( ")
    if frac:
        typeset = typeset.replace(r"\frac", r"\dfrac")
    if dollars:
        typeset = f"$ {typeset}$"
    assert fast.decide(f"({text})", typeset) is True
    agrees(f"({text})", typeset)


@pytest.mark.parametrize(
    ("gold", "answer"),
    [
        ("3,500", "3, 500"),
        ("3.5", "3 .5"),
        ("3.5", "3. 5"),
        ("14/5", "1 4/5"),
        (r"\frac{1}{23}", r"\frac{12}{3} x"),
        (r"\pi", r"\Pi"),
        (r"a\ b", r"a\b"),
        ("1,234", "1234"),
        ("(1,234)", "(1234)"),
        ("(1,234)", "(1,235)"),
        ("(1,2)", "[1,2]"),
        ("(1,2)", "1,2"),
        ("(1,2)", "(1,x)"),
        ("(1,2)(3,4)", "(3,4)(1,2)"),
        ("(1,2),(3,4)", "(3,4),(1,2)"),
        ("007", "7"),
        ("1/0", "2/0"),
        ("50%", "0.5"),
        ("0.3333333", "1/3"),
        ("2.5e3", "2500"),
        ("1" * 16, "1" * 15),
        ("\\frac12", "1/2"),
        ("1 1/2", "1.5"),
        ("५", "5"),
        ("+5", "5"),
    ],
)
def test_left_to_math_verify(gold, answer):
    assert fast.decide(gold, answer) is None


@pytest.mark.parametrize(
    ("gold", "answer", "equal"),
    [
        ("5", "5", True),
        ("5", "$5$", True),
        ("5", "-5", False),
        ("-0", "0", True),
        (".5", r"\frac{1}{2}", True),
        (r"-\dfrac{4}{6}", "-2/3", True),
        ("0.50", "1/2", True),
        ("x + 1", "x + 1", True),
        ("12", "12.01", False),
        ("(6, -31)", r"\left(6,-31.0\right)", True),
        ("(6,-31,1)", "(6, 1, -31)", False),
        ("(3,4]", r"(3, \frac{8}{2}]", True),
    ],
)
def test_decided_at_once(gold, answer, equal):
    assert fast.decide(gold, answer) is equal

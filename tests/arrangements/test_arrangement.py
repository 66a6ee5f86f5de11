"""What an arrangement offers: verification that can fail, adjacency, files."""

from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
import pytest

from convexnn_lib.arrangements._deletion import whitney_numbers
from convexnn_lib.arrangements._exact import integer_row, restrict
from convexnn_lib.arrangements.arrangement import Arrangement
from convexnn_lib.arrangements.counting import characteristic_polynomial
from convexnn_lib.arrangements.enumeration import enumerate_patterns
from convexnn_lib.arrangements.sampling import sample_patterns
from convexnn_lib.errors import InvalidDataError, VerificationError

TALK = np.array([[3.0, 3.0], [2.0, 2.0], [1.0, 0.0]])
XOR = np.array([[1.0, 1.0], [-1.0, -1.0], [1.0, -1.0], [-1.0, 1.0]])
NARROW = np.array([[1, 0, -1 / 3], [0, 1, -0.7], [1, 1, -1 / 3 - 0.7], [1, 2, 5]])


def gaussian(n, d, seed=0):
    return np.random.default_rng(seed).standard_normal((n, d))


def generic():
    return enumerate_patterns(gaussian(60, 3))


def degenerate():
    return enumerate_patterns(list(itertools.product((0, 1), repeat=4))[1:])


def closed():
    return enumerate_patterns(np.concatenate([XOR, [[0, 0]]]), closed=True)


def claimed(arrangement, patterns, witnesses):
    """Make the same claims for other patterns and witnesses."""
    return Arrangement(
        arrangement.X,
        patterns,
        witnesses,
        complete=arrangement.complete,
        closed=arrangement.closed,
    )


EXAMPLES = pytest.mark.parametrize("make", [generic, degenerate, closed])


@EXAMPLES
def test_verify_accepts_what_is_right(make):
    right = make()
    count = len(right)
    assert right.verify().exact_count == count
    witnesses = right.witnesses
    assert right.verify().exact_count == count
    if not right.closed:
        again = claimed(right, right.patterns, witnesses)
        assert again.verify().exact_count == count
        order = np.random.default_rng(0).permutation(count)
        shuffled = claimed(right, right.patterns[order], witnesses[order])
        assert shuffled.verify().exact_count == count


@EXAMPLES
@pytest.mark.parametrize("missing", [0, 3, -1])
def test_verify_finds_a_missing_pattern(make, missing, tmp_path):
    right = make()
    if right.closed:  # some of these have exact witnesses only
        right = enumerate_patterns(XOR)
    patterns = np.delete(right.patterns, missing, axis=0)
    wrong = claimed(right, patterns, np.delete(right.witnesses, missing, axis=0))
    with pytest.raises(VerificationError, match="1 patterns are missing"):
        wrong.verify()


@EXAMPLES
def test_verify_finds_a_duplicate(make):
    right = make()
    patterns, witnesses = right.patterns.copy(), right.witnesses.copy()
    patterns[2], witnesses[2] = patterns[1], witnesses[1]
    with pytest.raises(VerificationError, match="patterns 1 and 2 are equal"):
        claimed(right, patterns, witnesses).verify()


@EXAMPLES
def test_verify_finds_a_wrong_witness(make):
    right = make()
    witnesses = right.witnesses.copy()
    witnesses[1] = witnesses[0]
    with pytest.raises(
        VerificationError, match=r"witness of pattern 1 .* row \d+ differs"
    ):
        claimed(right, right.patterns, witnesses).verify()


def test_verify_finds_a_wrong_pattern():
    right = generic()
    patterns = right.patterns.copy()
    patterns[5, 7] ^= True
    with pytest.raises(VerificationError, match=r"pattern 5 .* row 7 differs"):
        claimed(right, patterns, right.witnesses).verify()


def test_verify_finds_a_witness_on_a_hyperplane():
    patterns = enumerate_patterns(TALK).patterns
    witnesses = enumerate_patterns(TALK).witnesses.copy()
    k = patterns.tolist().index([True, True, True])
    witnesses[k] = [1.0, -1.0]  # on the hyperplane of the first two rows, 1 on the last
    with pytest.raises(VerificationError, match="lies on the hyperplane of a row"):
        Arrangement(TALK, patterns, witnesses, complete=True).verify()


def test_verify_is_not_fooled_by_rounding():
    # 0.1 + 0.2 - 0.3 is 5.6e-17 in float64, but these floats sum to 2.8e-17; with the
    # first one smaller by 4.4e-17, to less than 0
    X = np.array([[0.1, 0.2, -0.3]])
    for first, sign in ((1.0, True), (1.0 - 2.0**-51, False)):
        one = Arrangement(X, [[sign]], [[first, 1.0, 1.0]])
        assert one.verify().n_patterns == 1
        with pytest.raises(VerificationError):
            Arrangement(X, [[not sign]], [[first, 1.0, 1.0]]).verify()


def test_verify_checks_a_sample_as_far_as_it_claims():
    sample = sample_patterns(gaussian(20, 3), 50, seed=0)
    result = sample.verify()
    assert result.n_patterns == len(sample)
    assert result.exact_count is None


def test_patterns_are_read_only():
    arrangement = generic()
    for array in (arrangement.X, arrangement.packed, arrangement.patterns):
        with pytest.raises(ValueError, match="read-only"):
            array[0, 0] = 1
    with pytest.raises(ValueError, match="read-only"):
        arrangement.witnesses[0, 0] = 1


def test_lookup():
    arrangement = enumerate_patterns(TALK)
    assert [True, True, False] in arrangement
    assert np.array([True, False, False]) not in arrangement
    assert all(pattern in arrangement for pattern in arrangement)
    with pytest.raises(InvalidDataError, match="boolean row of 3 entries"):
        assert [1, 1, 0] in arrangement
    with pytest.raises(InvalidDataError, match="boolean row of 3 entries"):
        assert [True] in arrangement


def test_repr():
    assert repr(closed()) == "Arrangement(9 closed patterns of 5 rows in R^2, complete)"


@pytest.mark.parametrize(
    ("patterns", "witnesses", "message"),
    [
        ([[1, 0, 1]], [[1.0, 2.0]], "boolean array of shape"),
        ([[True, False]], [[1.0, 2.0]], "boolean array of shape"),
        ([[True] * 3] * 2, [[1.0, 2.0]], "boolean array of shape"),
        ([[True] * 3], [[1.0, 2.0, 3.0]], "witnesses must have 2 columns"),
        ([[True] * 3], [[1.0, np.nan]], "NaN"),
    ],
)
def test_constructor_refuses_what_does_not_fit(patterns, witnesses, message):
    with pytest.raises(InvalidDataError, match=message):
        Arrangement(TALK, patterns, witnesses)


@pytest.mark.slow
@pytest.mark.parametrize(
    "X", [gaussian(9, 3), degenerate().X, XOR, [[1.0], [0.0]], NARROW]
)
def test_adjacency_is_a_difference_in_one_hyperplane(X):
    arrangement = enumerate_patterns(X)
    pairs = arrangement.adjacency()
    found = set(zip(*(array.tolist() for array in pairs), strict=True))
    X = arrangement.X
    expected = set()
    for i, j in itertools.product(range(len(arrangement)), repeat=2):
        differing = arrangement.patterns[i] ^ arrangement.patterns[j]
        rows = np.flatnonzero(differing)
        upward = len(rows) and arrangement.patterns[j, rows[0]]
        if upward and np.linalg.matrix_rank(X[rows]) == 1:
            expected.add((i, j, int(rows[0])))
    assert found == expected
    # the facets on a hyperplane are the cells of the restriction to it
    integers = [integer_row(row) for row in X.tolist()]
    for row, facets in Counter(pairs.row.tolist()).items():
        restricted = restrict(integers, integers[row])
        distinct = list({form for form, sign in restricted if sign})
        assert facets == sum(whitney_numbers(distinct, 1e9) if distinct else [1])


def test_number_of_facets_of_a_symmetric_arrangement():
    # every chamber of a reflection arrangement of rank r has r walls
    roots = [a - b for a, b in itertools.combinations(np.eye(5), 2)]
    arrangement = enumerate_patterns(roots)
    assert characteristic_polynomial(roots) == [1, -10, 35, -50, 24]
    assert len(arrangement.adjacency().row) == 120 * 4 // 2


def test_adjacency_needs_cells():
    with pytest.raises(InvalidDataError, match="closed=False"):
        closed().adjacency()


@pytest.mark.parametrize(
    "arrangement",
    [generic(), degenerate(), closed(), enumerate_patterns(NARROW)],
    ids=["generic", "degenerate", "closed", "narrow"],
)
def test_save_and_load(arrangement, tmp_path):
    path = tmp_path / "patterns"
    arrangement.save(path)
    loaded = Arrangement.load(path)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["patterns"]
    for name in ("X", "packed", "witnesses"):
        np.testing.assert_array_equal(getattr(loaded, name), getattr(arrangement, name))
    assert (loaded.complete, loaded.closed) == (
        arrangement.complete,
        arrangement.closed,
    )
    assert loaded.verify() == arrangement.verify()
    for i in (0, len(loaded) - 1):
        assert loaded.exact_witness(i) == arrangement.exact_witness(i)


def test_load_refuses_other_files(tmp_path):
    path = tmp_path / "other.npz"
    np.savez(path, X=TALK)
    with pytest.raises(InvalidDataError, match="does not hold an arrangement"):
        Arrangement.load(path)
    path.write_text("no archive")
    with pytest.raises(InvalidDataError, match="does not hold an arrangement"):
        Arrangement.load(path)


@pytest.mark.slow
def test_share():
    sample = sample_patterns(gaussian(20, 3), 1000, seed=0)
    assert sample.share == len(sample) / 382
    assert generic().share == 1.0
    assert closed().share == 1.0
    rows = closed()
    assert Arrangement(rows.X, rows.patterns, rows.witnesses, closed=True).share is None
    assert sample_patterns(gaussian(300, 8), 10, seed=0).share is None

"""Sizes that follow from others are worked out in rounds, and never guessed."""

from pullback.expressions import Size
from pullback.language.kinds import Extent, length
from pullback.language.unification import Sizes

n, m = Size.of("n"), Size.of("m")
JOINED, MERGED = Extent(length(0, 0) + length(1, 0)), Extent(length(0, 0) * length(1, 0))


def following(extent):
    sizes = Sizes()
    a, b = sizes.unknown(), sizes.unknown()
    return sizes, a, b, sizes.follow(extent, {"0.0": a, "1.0": b}, None)


def test_a_size_follows_once_its_operands_are_known():
    sizes, a, b, joined = following(JOINED)
    sizes.call(a, n)
    assert sizes.settle() is None and sizes.waiting and sizes.dependent() == {sizes.root(joined)}
    sizes.call(b, m)
    assert sizes.settle() is None and not sizes.waiting and sizes.value(joined) == n + m


def test_an_operand_follows_from_the_result():
    for extent, result in ((JOINED, n + m), (MERGED, n * m)):
        sizes, a, b, index = following(extent)
        assert sizes.unify(index, sizes.known(result)) and sizes.unify(a, sizes.known(n))
        assert sizes.settle() is None and sizes.value(b) == m


def test_two_results_that_are_equal_share_their_operands():
    sizes = Sizes()
    a, b = sizes.unknown(), sizes.unknown()
    shorter = [sizes.follow(Extent(length(0, 0) - 1), {"0.0": x}, None) for x in (a, b)]
    assert sizes.unify(*shorter) and sizes.settle() is None and sizes.waiting
    sizes.call(a, n)
    assert sizes.settle() is None and sizes.value(b) == n


def test_contradictions_are_found():
    for extent, result in ((MERGED, n + 1), (JOINED, n), (JOINED, Size.of(1))):
        sizes, a, _, index = following(extent)
        sizes.unify(index, sizes.known(result))
        sizes.unify(a, sizes.known(n if extent is not JOINED else result))
        assert sizes.settle() is not None


def test_half_of_a_size_is_known_where_it_is_whole():
    for size, expected in ((2 * n, n), (2 * n + 1, n + 1), (n, None)):
        sizes = Sizes()
        a = sizes.known(size)
        halves = sizes.follow(Extent(length(0, 0) - 1, step=2), {"0.0": a}, None)
        assert (sizes.settle() is None) == (expected is not None)
        assert sizes.value(halves) == expected

"""Steps that grow by sharing their numbers."""

from bisect import bisect_right

import numpy as np
import pytest

from ltviz.recording.steps import Steps


def test_what_was_told_stays_as_it_was_whoever_goes_on():
    first = Steps([1, 3])
    one, other = first.followed_by([5, 7]), first.followed_by([4])
    assert (first, one, other) == ((1, 3), (1, 3, 5, 7), (1, 3, 4))
    assert one.followed_by([9]) == [1, 3, 5, 7, 9] and other.followed_by(()) == other
    assert one.begins_with(first) and one.begins_with(one) and not first.begins_with(one)
    assert other.begins_with(first) and not other.begins_with(one) and one.begins_with([1, 3, 5])
    assert Steps().followed_by([2]).begins_with(()) and not Steps()


@pytest.mark.parametrize("seed", range(5))
def test_they_are_a_sequence_like_any_other(seed: int):
    rng = np.random.default_rng(seed)
    numbers = sorted(set(rng.integers(0, 60, 20).tolist()))
    half = Steps(numbers[:7])
    steps = half.followed_by(numbers[7:])
    half.followed_by([99])
    for found, wanted in ((steps, numbers), (half, numbers[:7])):
        assert list(found) == wanted and found == tuple(wanted) and tuple(wanted) == found and len(found) == len(wanted)
        assert [at in found for at in range(-1, 62)] == [at in wanted for at in range(-1, 62)] and "1" not in found
        assert [bisect_right(found, at) for at in range(62)] == [bisect_right(wanted, at) for at in range(62)]
        assert list(reversed(found)) == wanted[::-1] and (found[0], found[-1]) == (wanted[0], wanted[-1])
        assert found[2:-1] == wanted[2:-1] and found[::3] == wanted[::3] and found != wanted[1:] and found != 3
        assert hash(found) == hash(Steps(wanted))
        with pytest.raises(IndexError):
            found[len(found)]
    with pytest.raises(ValueError, match="backwards"):
        steps[::-1]

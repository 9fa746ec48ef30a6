"""Losses are told with their remedy, as many as are new."""

from sensor.daemon.losses import REMEDIES, Losses


def test_without_a_loss_nothing_is_said():
    assert Losses().since(dict.fromkeys(REMEDIES, 0)) == []


def test_each_kind_is_told_with_what_is_new_of_it_and_what_helps():
    losses = Losses()
    (first,) = losses.since({"kernel_drops": 1200, "unscored": 0})
    assert first.startswith("1,200 packets were lost")
    assert "capture.ring_mb" in first
    assert losses.since({"kernel_drops": 1200, "unscored": 0}) == []
    told = losses.since({"kernel_drops": 1205, "unscored": 7, "evicted": 1, "oversized": 2})
    assert [sentence.split(" ", 1)[0] for sentence in told] == ["5", "7", "1", "2"]

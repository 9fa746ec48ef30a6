"""The picture has a panel for every quantity."""

from tests.training.realism.made import sample
from training.realism import picture


def test_a_picture_is_drawn_and_repeats(tmp_path):
    samples = {"testbed": sample(50), "real": sample(60, seed=2)}
    first = picture.draw(tmp_path / "a.png", samples).read_bytes()
    assert first.startswith(b"\x89PNG")
    assert picture.draw(tmp_path / "b.png", samples).read_bytes() == first

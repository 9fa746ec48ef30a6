"""What is wrong with both first releases alike."""

import numpy as np
import pandas as pd
import pytest

from sensor.errors import NettrusionError
from training.datasets.legacy import mended
from training.datasets.manifest import Manifest


def test_texts_stay_and_numbers_become_numbers():
    frame = pd.DataFrame({"Src IP": ["10.0.0.1"], "Idle Max": ["1e3"], "Flow Byts/s": ["Infinity"], "Label": ["Bot"]})
    manifest = Manifest("", [])
    done = mended(frame, manifest)
    assert done["Src IP"].tolist() == ["10.0.0.1"]
    assert done["Idle Max"].tolist() == [1000.0]
    assert np.isinf(done["Flow Byts/s"]).all()
    assert manifest.mended == {"Infinity or NaN in a row: the feature's undefined value": 1}


def test_a_cell_that_is_no_number_is_an_error_that_names_the_column():
    with pytest.raises(NettrusionError, match="column 'Idle Max'"):
        mended(pd.DataFrame({"Idle Max": ["many"], "Label": ["Bot"]}), Manifest("", []))

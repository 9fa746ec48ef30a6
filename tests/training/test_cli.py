"""The command: flags above the file, errors in sentences, one folder out."""

import argparse
import json
import subprocess
import sys

import pytest

from sensor.errors import NettrusionError
from tests.training import made, recorded
from training import cli


def parse(*words: object) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    cli.configure(parser)
    return parser.parse_args([str(word) for word in words])


def rows():
    labels = {"BENIGN": 300, "DoS Hulk": 30, "Portscan": 30, "FTP-Patator": 30}
    number = 0
    for label, count in labels.items():
        for place in range(count):
            number += 1
            yield made.row(
                number,
                label,
                Src_IP=f"10.1.{place % 60}.1" if label == "BENIGN" else "10.9.9.9",
                Flow_Duration=number * (1 if label == "BENIGN" else 5_000),
                Total_Fwd_Packet=1 + place % 7 + (0 if label == "BENIGN" else 300),
                Total_Bwd_packets=1 + place % 5 + (0 if label == "BENIGN" else 100),
                SYN_Flag_Count=place % 3 + (0 if label == "BENIGN" else 20),
            )


def test_a_small_run_from_csv_to_folder(tmp_path, capsys):
    (tmp_path / "data").mkdir()
    made.write_csv(tmp_path / "data" / "a.csv", list(rows()))
    out = tmp_path / "out"
    words = ["--data", tmp_path / "data", "--out", out, "--seeds", 1, "--budget", 0.05]
    assert cli.run(parse(*words, "--candidates", "stump", "logistic regression")) == 0
    shown = capsys.readouterr()
    assert json.loads(shown.out)["model"] == "logistic regression"
    assert "reading labelled flows" in shown.err
    assert (out / "model.onnx").stat().st_size > 1000
    assert str(tmp_path) not in (out / "model-card.md").read_text()


def test_a_run_by_the_day_on_recordings(tmp_path, capsys):
    for number, name in enumerate(("mon", "tue", "wed")):
        recorded.write(tmp_path / "days", name, recorded.day(number, net=number))
    settings = tmp_path / "run.toml"
    settings.write_text(
        "[split]\nby = 'day'\ntrain_days = ['mon']\ncalibration_days = ['tue']\ntest_days = ['wed']\n"
        "[models]\nseeds = 1\ncandidates = ['logistic regression', 'stump']\n[budget]\nrate = 0.05\n"
    )
    out = tmp_path / "out"
    assert cli.run(parse(settings, "--data", tmp_path / "days", "--out", out)) == 0
    figures = json.loads((out / "metrics.json").read_text())
    assert figures["headline"]["same_day"]["recall"]["bruteforce"] == 1.0
    assert set(figures["another day"]) == {"logistic regression", "stump"}
    kept = json.loads((out / "manifest.json").read_text())["kept"]
    assert kept == {"benign": 360, "bruteforce": 90, "scan": 90}
    card = (out / "model-card.md").read_text()
    assert "Another day: whole recordings" in card
    assert "(mon, tue, wed)" in card
    assert "CICIDS" not in card


def test_a_run_killed_at_any_moment_goes_on_and_ends_as_if_it_had_not(tmp_path, repo):
    for number, name in enumerate(("mon", "tue", "wed")):
        recorded.write(tmp_path / "days", name, recorded.day(number, net=number, benign=60, attacks=12))
    (tmp_path / "csv").mkdir()
    made.write_csv(tmp_path / "csv" / "a.csv", list(rows()))
    settings = tmp_path / "run.toml"
    settings.write_text(
        "[split]\nby = 'mixed'\ntimed = ['cicids2017']\n"
        "train_days = ['mon']\ncalibration_days = ['tue']\ntest_days = ['wed']\n"
        "[models]\nseeds = 2\ncandidates = ['logistic regression', 'isolation forest']\n[budget]\nrate = 0.05\n"
    )
    words = [settings, "--data", tmp_path / "days", tmp_path / "csv", "--cache", tmp_path / "cache", "--out"]
    assert cli.run(parse(*words, tmp_path / "whole", "--jobs", 2)) == 0
    code = "import sys; from tests.training.test_cli import parse, cli; cli.run(parse(*sys.argv[1:]))"
    command = [sys.executable, "-c", code, *map(str, words), str(tmp_path / "killed")]
    with subprocess.Popen(command, cwd=repo, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if " 3/" in line:
                process.kill()
                break
    kept = sorted((tmp_path / "killed" / "fits").glob("*.npz"))
    assert len(kept) == 2
    assert not (tmp_path / "killed" / "metrics.json").exists()
    kept[0].write_bytes(kept[0].read_bytes()[:-100])
    written = kept[1].stat().st_mtime_ns
    done = subprocess.run(command, cwd=repo, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "1 of " in done.stderr and "finished before" in done.stderr
    assert f"{kept[0].name}: is damaged" in done.stderr
    assert kept[1].stat().st_mtime_ns == written
    for name in ("model.onnx", "metrics.json", "manifest.json"):
        assert (tmp_path / "killed" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), name
    figures = json.loads((tmp_path / "whole" / "metrics.json").read_text())
    assert set(figures["transfer matrix"]["cells"]["logistic regression"]) == {"testbed", "cicids2017", "all together"}
    assert str(tmp_path) not in json.dumps(figures)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "--data DIR"),
        (["--data", "x", "--seeds", "0"], "at least one seed"),
        (["--data", "x", "--budget", "2"], "between 0 and 1"),
        (["--data", "nowhere/at/all"], "no such f"),
        (["--data", "x", "--candidates", "denze"], "no candidate denze"),
    ],
)
def test_what_is_missing_is_said(tmp_path, words, said):
    with pytest.raises(NettrusionError, match=said):
        cli.run(parse("--out", tmp_path / "out", *words))


def test_flags_stand_above_the_file(tmp_path):
    path = tmp_path / "run.toml"
    path.write_text("[models]\nseeds = 3\n[data]\nfolders = ['a']\n[budget]\nalerts_a_day = 5\n")
    from training.config import load

    args = parse(path, "--out", "o", "--data", "b", "--budget", "0.01", "--labels", "l.tsv")
    config = cli._flags(load(path), args)
    assert config.models.seeds == 3
    assert config.data.folders == ("b",)
    assert config.alert_rate == 0.01
    assert config.transfer.labels == "l.tsv"

"""What the stages run: the same packets and flows with and without the memory of hosts, and every feature set."""

import gzip
from pathlib import Path

import pytest

import sensor.flows
from benchmarks.bench import IN_TURNS
from benchmarks.stages import SETS, STAGES
from sensor.features import FeatureSet
from sensor.flows import FlowEngine, Profile


@pytest.fixture(scope="module")
def capture(repo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("stages") / "demo.pcap"
    path.write_bytes(gzip.decompress((repo / "sensor/data/demo.pcap.gz").read_bytes()))
    return path


def test_all_stages_read_the_same_packets_and_make_the_same_flows(capture: Path):
    found = {name: STAGES[stage](capture) for name, stage in IN_TURNS.items()}
    assert len({each["packets"] for each in found.values()}) == 1
    flows = {name: each["flows"] for name, each in found.items() if "flows" in each}
    assert set(flows) == set(IN_TURNS) - {"record headers only"}
    assert len(set(flows.values())) == 1
    extracted = {name for name, each in found.items() if each.get("extract_s")}
    assert extracted == {"engine and cic2022", "engine and flow1"}


@pytest.mark.parametrize(("stage", "kept"), [("engine", True), ("contextless", False)])
def test_the_memory_of_hosts_is_what_the_two_engines_differ_in(capture: Path, monkeypatch, stage: str, kept: bool):
    kinds = []
    engine = sensor.flows.FlowEngine

    def made(profile: Profile) -> FlowEngine:
        kinds.append(profile.context)
        return engine(profile)

    monkeypatch.setattr(sensor.flows, "FlowEngine", made)
    STAGES[stage](capture)
    assert kinds == [kept]


def test_every_set_is_measured_by_formulas_that_it_has():
    assert all(variant in FeatureSet.load(name).variants for name, variant in SETS.items())

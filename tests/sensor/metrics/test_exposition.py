"""The exposition says what the figures say, in a form that Prometheus' own tools accept."""

import json
import re
import shutil
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from sensor.detector import Detector
from sensor.drift import Drift
from sensor.errors import NettrusionError
from sensor.features import FeatureSet
from sensor.flows import COUNTERS, SKIP_REASONS
from sensor.metrics import exposition
from sensor.metrics.families import SEEN, families
from sensor.metrics.figures import Figures
from sensor.rulebook import Rulebook
from tests.sensor.metrics.made import figures, latency

ROOT = Path(__file__).resolve().parents[3]
DOCUMENT = ROOT / "docs" / "metrics.md"
DASHBOARD = ROOT / "sensor" / "data" / "grafana.json"


def samples(reading: Figures) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Return every sample of an exposition by name and labels, as Prometheus' own parser reads it."""
    found = {}
    for family in text_string_to_metric_families(exposition(reading).decode()):
        for sample in family.samples:
            key = sample.name, tuple(sorted(sample.labels.items()))
            assert key not in found
            found[key] = sample.value
    return found


@pytest.fixture(scope="module")
def found():
    return samples(figures())


@pytest.mark.parametrize(
    ("name", "labels", "value"),
    [
        ("kernel_packets_total", {"interface": "eth0"}, 9),
        ("kernel_drops_total", {"interface": "eth0"}, 2),
        ("kernel_freezes_total", {"interface": "eth0"}, 1),
        ("oversized_frames_total", {"interface": "eth1"}, 0),
        ("interface_up", {"interface": "eth1"}, 0),
        ("packets_total", {}, 1000),
        ("bytes_total", {}, 1001),
        ("flow_packets_total", {}, 1002),
        ("snapshots_total", {}, 5),
        ("open_flows", {}, 7),
        ("open_flows_limit", {}, 262144),
        ("flow_table_bytes", {}, 1 << 27),
        ("waiting_flows", {}, 4),
        ("flows_scored_total", {}, 90),
        ("flows_shed_total", {}, 6),
        ("alerts_total", {"class": "scan"}, 3),
        ("alert_updates_total", {}, 2),
        ("rule_matches_total", {"outcome": "suppressed"}, 5),
        ("open_incidents", {}, 3),
        ("incidents_evicted_total", {}, 1),
        ("sink_lines_total", {"sink": "plain"}, 1),
        ("sink_dropped_lines_total", {"sink": "eve"}, 1),
        ("sink_failures_total", {"sink": "eve"}, 2),
        ("sink_queued_lines", {"sink": "eve"}, 3),
        ("sink_queued_bytes", {"sink": "eve"}, 300),
        ("sink_connected", {"sink": "eve"}, 1),
        ("rules", {}, 9),
        ("model_info", {"name": "first-light", "version": "1", "sha256": "ab" * 32}, 1),
        ("reloads_total", {"result": "ok"}, 1),
        ("reloads_total", {"result": "failed"}, 0),
        ("start_time_seconds", {}, 1_700_000_000.5),
        ("loaded_time_seconds", {}, 1_700_000_100),
        ("drift", {"kind": "score"}, 0.25),
        ("drift_feature", {"feature": "flow_iat_min"}, 0.5),
        ("score_duration_seconds_bucket", {"le": "5e-05"}, 2),
        ("score_duration_seconds_count", {}, 3),
        ("score_duration_seconds_sum", {}, 4.6e-4),
        ("detect_delay_seconds_bucket", {"le": "0.25"}, 1),
        ("detect_delay_seconds_bucket", {"le": "250.0"}, 2),
        ("detect_delay_seconds_bucket", {"le": "+Inf"}, 3),
    ],
)
def test_a_figure_is_told_under_its_name(found, name, labels, value):
    assert found["nettrusion_" + name, tuple(sorted(labels.items()))] == pytest.approx(value)


def test_every_count_of_the_engine_has_its_place(found):
    told = {value for (name, _), value in found.items() if name.startswith("nettrusion_")}
    counters = {name: 1000 + at for at, name in enumerate(COUNTERS)} | {"snapshots": 5}
    missing = [name for name, value in counters.items() if value not in told]
    assert not missing
    for reason in SKIP_REASONS:
        assert found["nettrusion_skipped_packets_total", (("reason", reason),)] == counters[reason]
    for kind in SEEN:
        assert found["nettrusion_seen_packets_total", (("kind", kind),)] == counters[kind]


def test_what_an_interface_or_an_output_does_not_know_is_missing(found):
    assert ("nettrusion_kernel_drops_total", (("interface", "eth1"),)) not in found
    assert ("nettrusion_sink_bytes_total", (("sink", "plain"),)) not in found


def test_figures_of_a_sensor_that_has_seen_nothing_can_be_told():
    empty = samples(
        figures(
            **{name: {} for name in ("interfaces", "counters", "alerts", "rulebook", "sinks", "reloads")},
            **{name: {} for name in ("drift", "drift_features")},
            **{name: latency() for name in ("score_latency", "detect_latency")},
        )
    )
    assert empty["nettrusion_score_duration_seconds_count", ()] == 0
    assert not [name for name, _ in empty if name in ("nettrusion_packets_total", "nettrusion_drift")]


def test_labels_from_outside_cannot_break_the_format():
    odd = 'a"b\\c\nd'
    told = samples(figures(interfaces={odd: {"up": 1}}))
    assert told["nettrusion_interface_up", (("interface", odd),)] == 1


def test_the_process_tells_of_itself(found):
    for name in ("process_resident_memory_bytes", "process_cpu_seconds_total", "process_open_fds"):
        assert found[name, ()] > 0


def test_names_follow_the_conventions():
    for family in families(figures()):
        assert re.fullmatch(r"nettrusion_[a-z0-9_]+", family.name)
        assert family.name.endswith("_total") == (family.kind == "counter")
        assert family.help and not family.help.endswith(".")
        assert all(re.fullmatch(r"[a-z_][a-z0-9_]*", label) and label != "le" for label in family.labels)
    names = [family.name for family in families(figures())]
    assert len(names) == len(set(names))


def test_promtool_has_nothing_against_it():
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("the check by Prometheus' own program needs promtool (apt: prometheus)")
    done = subprocess.run([promtool, "check", "metrics"], input=exposition(figures()), capture_output=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, b"")


def test_the_document_names_every_metric_with_its_type_and_labels():
    rows = re.findall(r"^\| `(nettrusion_\w+)` \| (\w+) \|([^|]*)\|", DOCUMENT.read_text(encoding="utf-8"), re.M)
    documented = {name: (kind, re.findall(r"`(\w+)`", labels)) for name, kind, labels in rows}
    assert len(documented) == len(rows)
    assert documented == {family.name: (family.kind, list(family.labels)) for family in families(figures())}


def test_the_dashboard_asks_only_for_what_is_told(found):
    dashboard = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    told = {name for name, _ in found}
    labels = {(name, label) for name, pairs in found for label, _ in pairs}
    asked = set()
    for panel in _panels(dashboard["panels"]):
        for target in panel.get("targets", []):
            query = target["expr"]
            names = set(re.findall(r"\b(?:nettrusion|process)_\w+", query))
            assert names and names <= told, query
            asked |= names
            for name, inner in re.findall(r"\b((?:nettrusion|process)_\w+)\{([^}]*)\}", query):
                asked_labels = set(re.findall(r"(\w+)\s*=", inner)) - {"instance", "job"}
                assert all((name, label) in labels for label in asked_labels), query
            counters = re.findall(r"(\w*)\(?\s*\b(nettrusion_\w+_total)", query)
            assert all(function in ("rate", "increase", "irate") for function, _ in counters), query
    assert len(asked) > 25


def test_the_dashboard_is_one_that_grafana_can_import():
    dashboard = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    assert dashboard["schemaVersion"] >= 38 and dashboard["uid"] and dashboard["title"]
    panels = list(_panels(dashboard["panels"]))
    identities = [panel["id"] for panel in panels]
    assert len(identities) == len(set(identities))
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert max(x for x, _ in cells) < 24 and not cells & taken, panel["title"]
        taken |= cells
        assert panel["type"] == "row" or (panel["description"] and panel["targets"])
        assert all(target["datasource"]["uid"] == "${datasource}" for target in panel.get("targets", []))


def test_promtool_can_read_what_the_dashboard_asks(tmp_path):
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("the check by Prometheus' own program needs promtool (apt: prometheus)")
    dashboard = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    queries = [target["expr"] for panel in _panels(dashboard["panels"]) for target in panel.get("targets", [])]
    queries += [annotation["expr"] for annotation in dashboard["annotations"]["list"]]
    rules = [
        {"record": f"query:{at}", "expr": query.replace("$__rate_interval", "5m").replace("$instance", ".*")}
        for at, query in enumerate(queries)
    ]
    # JSON is YAML.
    (tmp_path / "rules.yml").write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))
    done = subprocess.run(
        [promtool, "check", "rules", "--lint=none", str(tmp_path / "rules.yml")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(queries)} rules found" in done.stdout + done.stderr


def _panels(panels):
    for panel in panels:
        yield panel
        yield from _panels(panel.get("panels", []))


def test_the_real_parts_fit_the_figures():
    """What rulebook, detector and drift count is told, with the bundled model and rules."""
    sets = {name: FeatureSet.load(name) for name in FeatureSet.available()}
    detector = Detector.load(ROOT / "sensor" / "data" / "model.onnx", sets)
    rulebook = Rulebook.load(
        Path(str(files("rules"))), {"HOME_NET": "10.0.0.0/8", "EXTERNAL_NET": "!$HOME_NET"}
    )
    drift = Drift(detector.meta)
    assert drift.basis == "quantiles"
    told = samples(
        figures(
            rulebook=rulebook.counters,
            rules=len(rulebook.rules),
            model=(detector.meta.name, detector.meta.version, detector.meta.sha256),
            drift=drift.gauges(),
            drift_features=dict(drift.worst()),
        )
    )
    assert told["nettrusion_open_incidents", ()] == 0
    assert told["nettrusion_rule_matches_total", (("outcome", "alerted"),)] == 0


WITHOUT = """
import sys
sys.modules["prometheus_client"] = None
from sensor.errors import NettrusionError
from sensor.metrics import Figures, Latency, serve
try:
    serve("127.0.0.1:0", lambda: None)
except NettrusionError as error:
    print(error)
"""


def test_without_the_package_a_sentence_says_what_to_install():
    done = subprocess.run([sys.executable, "-c", WITHOUT], capture_output=True, text=True, cwd=ROOT, check=True)
    assert "install nettrusion[metrics]" in done.stdout
    assert issubclass(NettrusionError, Exception)

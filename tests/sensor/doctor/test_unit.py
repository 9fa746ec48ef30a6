"""What the service's sandbox forbids is told where the service is installed."""

from sensor.doctor.unit import check_unit
from tests.sensor.doctor.made import found, only, scene

UNIT = {"/usr/lib/systemd/system/nettrusion@.service": "[Service]\nRestrictAddressFamilies=AF_PACKET AF_UNIX\n"}
FAR = ("sinks.far.type=redis", "sinks.far.address=127.0.0.1:6379")


def test_without_the_unit_there_is_nothing_to_say(tmp_path):
    assert list(check_unit(scene(tmp_path, *FAR))) == []


def test_outputs_and_metrics_over_the_network_need_a_drop_in(tmp_path):
    made = scene(tmp_path, *FAR, "metrics.listen=127.0.0.1:9765", files=UNIT)
    finding = only(check_unit, made)
    assert (finding.outcome, finding.found.split(" need")[0]) == ("warning", "sinks.far, metrics.listen")
    text = "[Service]\nRestrictAddressFamilies=AF_INET AF_INET6\n"
    drop_in = {"/etc/systemd/system/nettrusion@eth0.service.d/n.conf": text}
    assert list(check_unit(scene(tmp_path, *FAR, files=drop_in))) == []


def test_a_drop_in_that_forbids_is_none_that_allows(tmp_path):
    drop_in = {"/etc/systemd/system/nettrusion@.service.d/n.conf": "[Service]\nRestrictAddressFamilies=~AF_INET\n"}
    assert only(check_unit, scene(tmp_path, *FAR, files=UNIT | drop_in)).outcome == "warning"


def test_relative_paths_begin_elsewhere(tmp_path):
    assert "/var/log/nettrusion" in found(check_unit, scene(tmp_path, files=UNIT))["unit"].found
    assert list(check_unit(scene(tmp_path, "output.path=/var/log/nettrusion/eve.json", files=UNIT))) == []

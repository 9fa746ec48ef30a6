"""`nettrusion rules`, as an operator meets it."""

import pytest

from sensor.cli import main

RULE = 'alert ip any any -> {} any (msg:"{}"; flowbits:isset,ml.{}; sid:{}; rev:1;)\n'


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "a.rules").write_text(
        RULE.format("$HOME_NET", "a scan", "scan", 1000002)
        + RULE.format("any", "a flood", "dos", 1000001)
        + "pass ip 10.0.0.1 any -> any any (sid:1000003;)\n#"
        + RULE.format("any", "off", "dos", 1000004)
    )
    return tmp_path


def test_check_says_what_a_folder_holds(folder, capsys):
    assert main(["rules", "check", str(folder)]) == 0
    said = capsys.readouterr()
    assert said.out.splitlines() == [
        f"3 rules in 1 file of {folder}: 2 alert, 1 pass; 1 commented out, 0 errors, 0 warnings",
        "",
        "class  action  rules",
        "(any)  pass        1",
        "dos    alert       1",
        "scan   alert       1",
    ]
    assert said.err == ""


def test_every_error_is_told_with_its_place_and_the_exit_code_is_1(folder, capsys):
    path = folder / "b.rules"
    path.write_text(
        'alert http any any -> any any (sid:1000010;)\n\ndrop ip any any -> any any (content:"x"; sid:7;)\n'
    )
    assert main(["rules", "check", str(folder)]) == 1
    said = capsys.readouterr()
    assert "2 errors" in said.out
    first, second = said.err.splitlines()
    assert first.startswith(f"error: {path}:1: http is an application protocol")
    assert second.startswith(f"error: {path}:3: drop would block traffic")
    assert "content looks into packets" in second


def test_a_warning_is_no_error(folder, capsys):
    (folder / "b.rules").write_text("alert ip any any -> any any (sid:7;)\n")
    assert main(["rules", "check", str(folder)]) == 0
    assert capsys.readouterr().err.startswith(f"warning: {folder / 'b.rules'}:1: sid 7: ")


def test_variables_come_from_the_configuration(folder, capsys):
    (folder / "b.rules").write_text("alert ip $DNS any -> any any (sid:1000010;)\n")
    assert main(["rules", "check", str(folder)]) == 1
    assert "there is no variable $DNS" in capsys.readouterr().err
    assert main(["rules", "check", str(folder), "--set", "rules.variables.DNS=10.0.0.2"]) == 0
    config = folder / "sensor.toml"
    config.write_text(f'[rules]\ndirectory = "{folder}"\n[rules.variables]\nDNS = "10.0.0.2"\n')
    assert main(["rules", "check", "--config", str(config)]) == 0


def test_without_a_folder_it_is_the_sensors_own(capsys):
    assert main(["rules", "check"]) == 0
    assert "scan" in capsys.readouterr().out


def test_map_prints_the_sid_map(folder, capsys):
    assert main(["rules", "map", str(folder)]) == 0
    assert capsys.readouterr().out == "1000001 || a flood\n1000002 || a scan\n"


def test_map_of_a_folder_with_an_error_is_one_sentence(folder, capsys):
    (folder / "b.rules").write_text("alert\n")
    assert main(["rules", "map", str(folder)]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == (
        f"nettrusion: 1 line of the rules cannot be honoured:\n"
        f"  {folder / 'b.rules'}:1: the options in ( ) are missing\n"
    )


def test_a_folder_that_is_not_there(tmp_path, capsys):
    assert main(["rules", "check", str(tmp_path / "none")]) == 1
    assert capsys.readouterr().err == f"error: {tmp_path / 'none'}: is not a folder of rules\n"

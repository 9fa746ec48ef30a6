"""The FTP server."""

from typing import Any

from tests.training.testbed.bench import Bench


def carried(bench: Bench) -> dict[str, str]:
    """Put a file, list it and fetch it again; try a wrong password."""
    bench.serve("names", "ftp")
    right, url = f"ada:{bench.world.passwords['ada']}", "ftp://web.home.test"
    curl, said = ["curl", "-sS", "--connect-timeout", "5"], {}
    said["put"] = str(bench.run("desk", *curl, "-u", right, "-T", "/etc/services", f"{url}/inbox/").returncode)
    said["list"] = bench.run("desk", *curl, "-u", right, f"{url}/inbox/").stdout
    said["got"] = bench.run("desk", *curl, "-u", right, f"{url}/inbox/services").stdout
    said["sent"] = bench.run("desk", "cat", "/etc/services").stdout
    wrong = bench.run("desk", *curl, "-u", "ada:no", f"{url}/", "-v")
    said["wrong"] = f"{wrong.returncode} {wrong.stderr}"
    port = bench.run("desk", *curl, "-v", "--disable-epsv", "-4", "-u", right, f"{url}/papers/").stderr
    said["passive"] = next(line for line in port.splitlines() if "227 Entering" in line)
    said["log"] = (bench.world.folder("ftp") / "log").read_text()
    return said


def test_files_go_there_and_back_by_password_alone(in_world: Any):
    said = in_world(carried)
    assert said["put"] == "0" and "services" in said["list"]
    assert said["got"] == said["sent"] != ""
    assert said["wrong"].startswith("67") and "530" in said["wrong"]
    high, low = said["passive"].split("(")[1].split(")")[0].split(",")[4:]
    assert 40_000 <= int(high) * 256 + int(low) < 42_000
    assert "OK LOGIN" in said["log"] and "FAIL LOGIN" in said["log"]

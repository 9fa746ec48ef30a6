"""The servers' logs confirm labels or contradict them."""

from pathlib import Path

import pytest

from sensor.errors import NettrusionError
from training.testbed.evidence import check
from training.testbed.labels import Labelled
from training.testbed.packets import Conversation, Tuple5

HOST, SERVER = "10.77.3.10", "10.77.9.10"


def row(sport: int, dport: int, label: str, tool: str) -> Labelled:
    return Labelled(Conversation(Tuple5("tcp", HOST, sport, SERVER, dport), 0, 1, [1, 1], [60, 60]), label, tool, 1)


ROWS = [
    row(1, 80, "benign", "curl"),
    row(2, 80, "bruteforce", "hydra"),
    row(3, 80, "dos", "slowhttptest"),
    row(4, 22, "benign", "ssh"),
    row(5, 22, "bruteforce", "hydra"),
]
WEB = 'x {host} {port} 80 200 "{agent}"\n'
SSH = "Failed password for {user} from {host} port {port} ssh2\n"


def logs(folder: Path, web: str, ssh: str) -> tuple[Path, Path]:
    (folder / "web").write_text(web)
    (folder / "ssh").write_text(ssh)
    return folder / "web", folder / "ssh"


def test_agreeing_lines_are_counted(tmp_path: Path):
    agents = {1: "curl/7.88.1", 2: "Mozilla/4.0 (Hydra)", 3: "Mozilla/5.0 (Macintosh)"}
    web = "".join(WEB.format(host=HOST, port=port, agent=agent) for port, agent in agents.items())
    ssh = f"Accepted publickey for ada from {HOST} port 4 ssh2: ED25519\nConnection closed\n"
    ssh += SSH.format(user="guest", host=HOST, port=5)
    assert check(ROWS, *logs(tmp_path, web, ssh)) == {"web": 3, "ssh": 2}


@pytest.mark.parametrize(
    ("port", "agent"), [(3, "curl/7.88.1"), (1, "Mozilla/4.0 (Hydra)"), (1, "Mozilla/5.0"), (9, "curl/7.88.1")]
)
def test_a_client_that_is_labelled_otherwise_is_an_error(tmp_path: Path, port: int, agent: str):
    with pytest.raises(NettrusionError, match="web server's log"):
        check(ROWS, *logs(tmp_path, WEB.format(host=HOST, port=port, agent=agent), ""))


@pytest.mark.parametrize(("user", "port"), [("guest", 4), ("ada", 5), ("ada", 6)])
def test_a_login_that_is_labelled_otherwise_is_an_error(tmp_path: Path, user: str, port: int):
    with pytest.raises(NettrusionError, match="sshd's log"):
        check(ROWS, *logs(tmp_path, "", SSH.format(user=user, host=HOST, port=port)))

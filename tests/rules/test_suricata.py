"""Real Suricata reads the rules that ship, and refuses or takes what the sensor's own parser does.

It needs `suricata` on the path, or roots with one in them: NETTRUSION_SURICATA_ROOT names folders, apart by
colons, that hold a whole system each and that this process may chroot into.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from sensor.config import load
from sensor.rulebook import read_directory, rule_variables
from sensor.rulebook.directory import read_rule
from sensor.rulebook.tables import Tables, read_tables

ROOTS = [Path(root) for root in os.environ.get("NETTRUSION_SURICATA_ROOT", "").split(":") if root]
WHERE: list[Path | None] = [*ROOTS] or ([None] if shutil.which("suricata") else [])

pytestmark = pytest.mark.skipif(
    not WHERE, reason="needs suricata on the path, or NETTRUSION_SURICATA_ROOT to name a root that has it"
)


class Suricata:
    """One Suricata, in a root of its own or on this system, and a folder that both sides see."""

    def __init__(self, root: Path | None, folder: Path) -> None:
        self.root = root
        self.folder = folder

    def test(self, *, rules: Path, **files: Path) -> tuple[int, str]:
        """Run `suricata -T` over rules and configuration files; return its exit code and words."""
        given = ["-T", "-v", "-S", self._inside(rules), "-l", self._inside(self.folder)]
        for key, path in files.items():
            given += ["--set", f"{key.replace('_', '-')}={self._inside(path)}"]
        command = ["suricata", *given] if self.root is None else ["chroot", str(self.root), "suricata", *given]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        return done.returncode, done.stdout + done.stderr

    def version(self) -> int:
        """Return the main version."""
        command = ["suricata", "-V"] if self.root is None else ["chroot", str(self.root), "suricata", "-V"]
        said = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
        match = re.search(r"version (\d+)", said)
        assert match, said
        return int(match[1])

    def _inside(self, path: Path) -> str:
        return str(path) if self.root is None else "/" + str(path.relative_to(self.root))


@pytest.fixture(params=WHERE, ids=str)
def suricata(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Suricata]:
    root = request.param
    if root is None:
        yield Suricata(None, tmp_path)
        return
    folder = root / "tmp" / f"nettrusion-{os.getpid()}"
    folder.mkdir()
    try:
        yield Suricata(root, folder)
    finally:
        shutil.rmtree(folder)


def test_it_loads_every_rule_that_ships(suricata, repo):
    for path in (repo / "rules").glob("*.*"):
        shutil.copy(path, suricata.folder)
    reading = read_directory(repo / "rules", rule_variables(load(environ={}).config))
    code, said = suricata.test(
        rules=suricata.folder / "nettrusion.rules",
        classification_file=suricata.folder / "classification.config",
        reference_config_file=suricata.folder / "reference.config",
        threshold_file=suricata.folder / "threshold.config",
    )
    assert code == 0, said
    assert not re.search(r"^(E:|<Error>)", said, re.M), said
    assert f"{len(reading.rules)} rules successfully loaded, 0 rules failed" in said


# Rules that the sensor takes, and Suricata 7 and 8 too.
TAKEN = (
    "alert ip any any -> any any (sid:{sid};)",
    'alert  tcp any  any   ->  any any  (msg:"blanks"; sid:{sid};)',
    'ALERT TCP any any -> any any ( MSG : "upper" ; SID : {sid} ; )',
    'alert tcp any any -> any any (msg:"a\\;b\\"c\\\\d\\:e)("; sid:{sid};)',
    "pass ip 10.0.0.5 any <> [10.0.0.0/8,!10.1.0.0/16] any (sid:{sid};)",
    "alert tcp ![10.0.0.0/8,!10.1.0.0/16] any -> !$HOME_NET [80,443:445,!444] (sid:{sid};)",
    "alert udp 10.0.0.1-10.0.0.9 :1023 -> 10.0.0.0/255.0.0.0 1024: (sid:{sid};)",
    "alert icmpv6 any any -> [::1,2001:db8::/32] any (sid:{sid};)",
    "alert icmpv4 any any -> any any (sid:{sid};)",
    "alert ip4 any any -> any any (sid:{sid};)",
    "alert sctp any any -> any !22 (sid:{sid};)",
    "alert ip any any -> any any (flowbits:isset,ml.dos|ml.scan; flowbits:isnotset, ml.bot; sid:{sid};)",
    "alert ip any any -> any any (flowint:ml_score,>=,900; flowint: ml_score , != , ml_threshold ; sid:{sid};)",
    "alert ip any any -> any any (flowint:ml_score,isset; flowint:ml_score,notset; sid:{sid};)",
    "alert ip any any -> any any (flow.age:>3; flow.age:<=60; flow.age:!7; flow.age:10-20; sid:{sid};)",
    "alert ip any any -> any any (app-layer-protocol:http; sid:{sid};)",
    "alert ip any any -> any any (app-layer-protocol:!tls; sid:{sid};)",
    "alert ip any any -> any any (threshold: type limit , track by_src , count 1 , seconds 60 ; sid:{sid};)",
    "alert ip any any -> any any (threshold:count 2, seconds 9, track by_both, type both; sid:{sid};)",
    "alert ip any any -> any any (threshold:type threshold, track by_rule, count 2, seconds 9; sid:{sid};)",
    "alert ip any any -> any any (detection_filter:track by_dst, count 15, seconds 2; sid:{sid};)",
    "alert ip any any -> any any (noalert; flowbits:noalert; sid:{sid};)",
    "alert ip any any -> any any (classtype:network-scan; priority:3; target: dest_ip; rev: 3; gid:2; sid:{sid};)",
    "alert ip any any -> any any (reference: url, example.org/a; metadata:a b, c d e,f   g; sid:{sid};)",
    "alert ip any any -> any any (msg:\"x\"; \\\n   sid:{sid};)",
)  # fmt: skip
# The same, but Suricata 7 does not know them yet.
ONLY_8 = (
    "alert ip any any -> any any (flow.pkts_toserver:>3; flow.bytes_toclient:<=1kb; sid:{sid};)",
    "alert ip any any -> any any (flow.pkts:either,>3; flow.bytes:toserver,10-20; sid:{sid};)",
    "alert ip any any -> any any (flow.age:0x10; flow.age:!3-9; sid:{sid};)",
    "alert ip 2001:db8::1-2001:db8::9 any -> any any (sid:{sid};)",
)
# Rules that all of them refuse.
REFUSED = (
    "alert ip any any -> any any (sid:{sid})",
    "alert ip any any -> any any(sid:{sid};)",
    "alert ip any any -> any any (sid:{sid};) # why",
    "alert ip any any <- any any (sid:{sid};)",
    "alert ip any any ->any any (sid:{sid};)",
    "alert ip\tany any -> any any (sid:{sid};)",
    "alert ip ! 10.0.0.1 any -> any any (sid:{sid};)",
    "alert gre any any -> any any (sid:{sid};)",
    "alert ip !any any -> any any (sid:{sid};)",
    "alert ip 10.0.0.1/33 any -> any any (sid:{sid};)",
    "alert ip 010.0.0.1 any -> any any (sid:{sid};)",
    "alert ip $NOPE any -> any any (sid:{sid};)",
    "alert tcp any any -> any [80,!80] (sid:{sid};)",
    "alert tcp any any -> any 90:80 (sid:{sid};)",
    "alert tcp any any -> any 65536 (sid:{sid};)",
    'alert ip any any -> any any (msg:"a;b"; sid:{sid};)',
    "alert ip any any -> any any (msg:bare; sid:{sid};)",
    'alert ip any any -> any any (msg:""; sid:{sid};)',
    'alert ip any any -> any any (msg:"a"; msg:"b"; sid:{sid};)',
    "alert ip any any -> any any (sid:{sid}; sid:{sid};)",
    "alert ip any any -> any any (sid:{sid};;)",
    "alert ip any any -> any any (rev:0; sid:{sid};)",
    "alert ip any any -> any any (flowbits:isset; sid:{sid};)",
    "alert ip any any -> any any (flowbits:isset , ml.dos; sid:{sid};)",
    "alert ip any any -> any any (flowint:ml_score,>=,-1; sid:{sid};)",
    "alert ip any any -> any any (flow.age:3-4; sid:{sid};)",
    "alert ip any any -> any any (flow.age:<0; sid:{sid};)",
    "alert ip any any -> any any (app-layer-protocol:nosuch; sid:{sid};)",
    "alert ip any any -> any any (threshold:type limit, track by_src, count 1; sid:{sid};)",
    "alert ip any any -> any any (target:both; sid:{sid};)",
    "alert ip any any -> any any (noalert:yes; sid:{sid};)",
    "alert ip any any -> any any (metadata:; sid:{sid};)",
    "alert ip any any -> any any (reference:url; sid:{sid};)",
)


def verdicts(suricata: Suricata, rules: list[str]) -> list[bool]:
    """Say which of some rules Suricata takes: each stands at a line of its own and errors name it."""
    path = suricata.folder / "one.rules"
    lines, starts = 1, []
    for rule in rules:
        starts.append(lines)
        lines += rule.count("\n") + 1
    path.write_text("\n".join(rules) + "\n")
    _, said = suricata.test(rules=path)
    wrong = {int(line) for line in re.findall(r"error parsing signature .* at line (\d+)", said)}
    ends = [start + rule.count("\n") for start, rule in zip(starts, rules, strict=True)]
    return [not wrong & {start, end} for start, end in zip(starts, ends, strict=True)]


def ours(rule: str, tables: Tables) -> bool:
    try:
        read_rule(rule.replace("\\\n", ""), tables, rule_variables(load(environ={}).config), "one.rules", 1)
    except ValueError:
        return False
    return True


def test_both_take_and_refuse_the_same(suricata, repo):
    tables, _ = read_tables(repo / "rules")
    texts = [text.replace("{sid}", str(1000001 + i)) for i, text in enumerate((*TAKEN, *ONLY_8, *REFUSED))]
    own = [ours(text, tables) for text in texts]
    assert own == [True] * len(TAKEN + ONLY_8) + [False] * len(REFUSED)
    theirs = verdicts(suricata, texts)
    if suricata.version() < 8:
        assert theirs[len(TAKEN) : len(TAKEN + ONLY_8)] == [False] * len(ONLY_8)
        own[len(TAKEN) : len(TAKEN + ONLY_8)] = [False] * len(ONLY_8)
    different = [text for text, a, b in zip(texts, own, theirs, strict=True) if a != b]
    assert different == []

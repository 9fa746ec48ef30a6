"""Which published label means which class, and which labels are not learnt from."""

from dataclasses import dataclass

CLASSES: tuple[str, ...] = (
    "benign",
    "dos",
    "ddos",
    "slowdos",
    "scan",
    "bruteforce",
    "web",
    "bot",
    "tunnel",
    "exfiltration",
    "lateral",
)
"""The classes that a classifier of this project tells apart; the first is no attack.

A model has outputs for those alone that it was given rows of. The last three are known from our own
recordings only; they stand last, so that the numbers of the others never change.
"""

MALICIOUS = "malicious"
"""What a label becomes that says no more than `attack`."""

ATTEMPTED_SUFFIX = " - attempted"


@dataclass(frozen=True, slots=True)
class LabelRule:
    """What one published label becomes.

    `family` is the group that is left out as a whole when the question is an unseen attack.
    `learnt` is false for families with too few independent connections to learn from; their rows
    are only ever tested on, and `reason` says why.
    """

    label: str
    family: str
    learnt: bool = True
    reason: str = ""

    @property
    def class_name(self) -> str:
        """The class a row of this label is trained as; for one that is not learnt, its family."""
        return self.family


RELEASED = (
    LabelRule("benign", "benign"),
    LabelRule("dos hulk", "dos"),
    LabelRule("dos goldeneye", "dos"),
    LabelRule("dos slowloris", "slowdos"),
    LabelRule("dos slowhttptest", "slowdos"),
    LabelRule("ddos", "ddos"),
    LabelRule("portscan", "scan"),
    LabelRule("infiltration - portscan", "scan"),
    LabelRule("ftp-patator", "bruteforce"),
    LabelRule("ssh-patator", "bruteforce"),
    LabelRule("web attack - brute force", "web"),
    LabelRule("web attack - xss", "web"),
    LabelRule("web attack - sql injection", "web"),
    LabelRule("botnet", "bot"),
    LabelRule(
        "infiltration",
        "infiltration",
        learnt=False,
        reason="a handful of connections a day, each of another kind: nothing to learn from, tested as unseen",
    ),
    LabelRule(
        "heartbleed",
        "heartbleed",
        learnt=False,
        reason="one connection cut into 11 rows: nothing to learn from, tested as unseen",
    ),
)
"""The labels of CICIDS2017, `benign` among them."""

RELEASED_2018 = (
    LabelRule("ddos-loic-http", "ddos"),
    LabelRule("ddos-loic-udp", "ddos"),
    LabelRule("ddos-hoic", "ddos"),
    LabelRule("ftp-bruteforce", "bruteforce"),
    LabelRule("ssh-bruteforce", "bruteforce"),
    LabelRule("infiltration - nmap portscan", "scan"),
    *(
        LabelRule(label, "infiltration", learnt=False, reason="a few hundred flows of what follows a break-in")
        for label in ("infiltration - dropbox download", "infiltration - communication victim attacker")
    ),
)
"""The labels of CSE-CIC-IDS2018 that CICIDS2017 does not have."""

RECORDED = (
    LabelRule("scan", "scan"),
    LabelRule("dos", "dos"),
    LabelRule("slowdos", "slowdos"),
    LabelRule("bruteforce", "bruteforce"),
    LabelRule("web", "web"),
    LabelRule("tunnel", "tunnel"),
    LabelRule("exfiltration", "exfiltration"),
    LabelRule("lateral", "lateral"),
)
"""Labels of our own recordings; `benign`, `ddos`, `bot` and `infiltration` are called the same elsewhere."""

CAPTURED = (
    LabelRule("bruteforce-ftp", "bruteforce"),
    LabelRule("bruteforce-ssh", "bruteforce"),
    LabelRule("ddos-amplification", "ddos"),
    LabelRule("dns-tunnel", "tunnel"),
    LabelRule("dos-syn", "dos"),
    LabelRule("lateral-movement", "lateral"),
    LabelRule("malware-c2", "bot"),
    LabelRule("slowloris", "slowdos"),
    LabelRule("web-attack", "web"),
    LabelRule("mixed-ics", "several", learnt=False, reason="attacks of several kinds under one name"),
    LabelRule(MALICIOUS, MALICIOUS, learnt=False, reason="an attack of which nobody says what kind it is"),
)
"""Classes of labelled captures, and what a label becomes that says no more than `attack`."""

ISCX2012 = (
    LabelRule("iscx http denial of service", "slowdos"),
    LabelRule("iscx ddos by an irc botnet", "ddos"),
    LabelRule("iscx ssh brute force", "bruteforce"),
    LabelRule(
        "iscx infiltration from inside",
        "infiltration",
        learnt=False,
        reason="one intruder on one day, most of it the scan behind it: tested as unseen",
    ),
    LabelRule(
        "iscx attack on a day without a scenario",
        "unscheduled",
        learnt=False,
        reason="tagged as attacks on days of which the publication tells none: nobody says what kind they are",
    ),
)
"""Scenarios of ISCXIDS2012, a day each; its HTTP denial of service is Slowloris. Its `Normal` is `benign`."""

RULES: dict[str, LabelRule] = {
    rule.label: rule for rule in (*RELEASED, *RELEASED_2018, *RECORDED, *CAPTURED, *ISCX2012)
}
_ALIASES = {
    "bot": "botnet",
    "port scan": "portscan",
    "web attack - sqli": "web attack - sql injection",
    # CSE-CIC-IDS2018, corrected and as first published.
    "botnet ares": "botnet",
    "web attack - sql": "web attack - sql injection",
    "sql injection": "web attack - sql injection",
    "brute force -web": "web attack - brute force",
    "brute force -xss": "web attack - xss",
    "infilteration": "infiltration",
    "ddos attack-hoic": "ddos-hoic",
    "ddos attack-loic-udp": "ddos-loic-udp",
    "ddos attacks-loic-http": "ddos-loic-http",
    "dos attacks-goldeneye": "dos goldeneye",
    "dos attacks-hulk": "dos hulk",
    "dos attacks-slowhttptest": "dos slowhttptest",
    "dos attacks-slowloris": "dos slowloris",
}


def normalise(label: str) -> str:
    """Return a published label in lower case, with single blanks and plain hyphens.

    The first release of the data set wrote the dash of `Web Attack – XSS` as a byte that is valid
    in no common encoding; whatever stands alone between two blanks is read as a hyphen.
    """
    words = ["-" if len(word) == 1 and not word.isalnum() else word for word in label.lower().split()]
    text = " ".join(words)
    return _ALIASES.get(text, text)


def rule_for(label: str) -> LabelRule | None:
    """Return the rule of a published label, or None when the label is unknown or `Attempted`."""
    return RULES.get(normalise(label))


def is_attempted(label: str) -> bool:
    """Say whether a label marks an attack flow that carried nothing malicious."""
    return normalise(label).endswith(ATTEMPTED_SUFFIX)

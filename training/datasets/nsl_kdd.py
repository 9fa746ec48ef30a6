"""NSL-KDD: 41 columns of a connection of 1998, label and difficulty, without a header.

The selection of KDD Cup 99 by Tavallaee et al. (CISDA 2009). A benchmark table, see `benchmark`.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import numpy as np

from sensor.errors import NettrusionError
from training.datasets.benchmark import Benchmark, encode, limit_to_one, refuse
from training.datasets.manifest import Manifest, SourceFile, sha256_of

if TYPE_CHECKING:
    from sensor.features import FeatureSet

NAME = "NSL-KDD"
TEXTS = ("protocol_type", "service", "flag")


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


COLUMNS = _words(
    """duration protocol_type service flag src_bytes dst_bytes land wrong_fragment urgent hot
    num_failed_logins logged_in num_compromised root_shell su_attempted num_root num_file_creations
    num_shells num_access_files num_outbound_cmds is_host_login is_guest_login count srv_count
    serror_rate srv_serror_rate rerror_rate srv_rerror_rate same_srv_rate diff_srv_rate
    srv_diff_host_rate dst_host_count dst_host_srv_count dst_host_same_srv_rate
    dst_host_diff_srv_rate dst_host_same_src_port_rate dst_host_srv_diff_host_rate
    dst_host_serror_rate dst_host_srv_serror_rate dst_host_rerror_rate dst_host_srv_rerror_rate"""
)
FLAGS = ("land", "logged_in", "root_shell", "su_attempted", "is_host_login", "is_guest_login")
NORMAL = "normal"
CATEGORIES = {
    "dos": _words("apache2 back land mailbomb neptune pod processtable smurf teardrop udpstorm"),
    "probe": _words("ipsweep mscan nmap portsweep saint satan"),
    "r2l": _words(
        """ftp_write guess_passwd httptunnel imap multihop named phf sendmail snmpgetattack snmpguess
        spy warezclient warezmaster worm xlock xsnoop"""
    ),
    "u2r": _words("buffer_overflow loadmodule perl ps rootkit sqlattack xterm"),
}
"""The kinds of attack: those of the training labels by the data's own list, the others by what they do."""
CATEGORY = {label: kind for kind, labels in CATEGORIES.items() for label in labels} | {NORMAL: NORMAL}

LABEL_RULE = (
    "column 42; the kind of attack by the data's list of attack types, test labels that it lacks by what they do"
)
ERRATA = [
    "difficulty (column 43) says how many of 21 trained models erred: it is left out",
    "snmpgetattack is r2l here; some tables file it under dos",
    "num_outbound_cmds and is_host_login are constant in KDDTrain+_20Percent",
    "snmpgetattack and some normal rows have the same columns: nothing can tell these apart",
]
_WIDTHS = (len(COLUMNS) + 1, len(COLUMNS) + 2)


def find(place: Path) -> list[Path]:
    """Return the NSL-KDD tables below a folder, or the file itself if it is one, sorted."""
    paths = sorted(place.rglob("*.txt")) + sorted(place.rglob("*.csv")) if place.is_dir() else [place]
    return [path for path in paths if path.is_file() and _is_one(path)]


def load(places: Sequence[Path], feature_set: "FeatureSet", variant: str, row_limit: int = 200_000) -> NoReturn:
    """Refuse: raises NettrusionError, since these rows can train no model for the wire."""
    refuse(places, NAME, feature_set.name)


def read(paths: Sequence[Path]) -> Benchmark:
    """Read NSL-KDD files into one table, every file a source.

    Raises:
        NettrusionError: no file, or a row with other columns or an unknown label (it names file and
            row), or a column with a number that is none (it names the column).
    """
    if not paths:
        raise NettrusionError("no NSL-KDD file; give KDDTrain+_20Percent.txt and KDDTest+.txt, or their folder")
    manifest = Manifest(LABEL_RULE, list(ERRATA), about=[f"{NAME}: connections of a lab of 1998 in 41 columns"])
    rows: list[list[str]] = []
    source: list[int] = []
    for number, path in enumerate(paths):
        own = _split(path, manifest)
        manifest.files.append(SourceFile(path.name, path.stat().st_size, sha256_of(path), len(own)))
        rows += own
        source += [number] * len(own)
    cells = np.array(rows, dtype=np.str_).reshape(len(rows), len(COLUMNS) + 1)
    label = cells[:, -1]
    values, words = encode({name: cells[:, place] for place, name in enumerate(COLUMNS)}, TEXTS, paths)
    limit_to_one(values, COLUMNS, FLAGS, manifest)
    for name, count in zip(*np.unique(label, return_counts=True), strict=True):
        manifest.kept[str(name)] = int(count)
    return Benchmark(
        values=values,
        names=COLUMNS,
        words=words,
        label=label,
        category=np.array([CATEGORY[str(name)] for name in label], dtype=np.str_),
        attack=label != NORMAL,
        source=np.array(source, dtype=np.int64),
        sources=tuple(path.name for path in paths),
        manifest=manifest,
    )


def _is_one(path: Path) -> bool:
    with path.open(encoding="utf-8", errors="replace", newline=None) as stream:
        cells = stream.readline(4096).strip().split(",")
    return len(cells) in _WIDTHS and cells[1] in ("tcp", "udp", "icmp") and cells[len(COLUMNS)] in CATEGORY


def _split(path: Path, manifest: Manifest) -> list[list[str]]:
    """Return 41 columns and the label of every row, whatever ends its lines."""
    text = path.read_text(encoding="utf-8", errors="replace")
    rows = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            manifest.drop("empty line", 1)
            continue
        cells = [cell.strip() for cell in line.split(",")]
        if len(cells) not in _WIDTHS:
            raise NettrusionError(
                f"{path}: row {number} has {len(cells)} columns, {NAME} has {_WIDTHS[1]}; give a whole file"
            )
        kept = cells[: _WIDTHS[0]]
        kept[-1] = kept[-1].rstrip(".").lower()
        if kept[-1] not in CATEGORY:
            raise NettrusionError(f"{path}: row {number} has the label {kept[-1]!r}, which {NAME} does not know")
        rows.append(kept)
    return rows

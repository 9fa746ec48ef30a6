"""UNSW-NB15 in its published shapes: 49 raw columns without a header, and the training sets.

Moustafa and Slay (MilCIS 2015). The training and testing sets have 45 columns; extracts of them that
kept the numbers alone have fewer, their label is called `target`. A benchmark table, see `benchmark`.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import numpy as np
import numpy.typing as npt

from sensor.errors import NettrusionError
from training.datasets.benchmark import Benchmark, encode, limit_to_one, refuse
from training.datasets.manifest import Manifest, SourceFile, sha256_of

if TYPE_CHECKING:
    import pandas as pd

    from sensor.features import FeatureSet

NAME = "UNSW-NB15"
_RAW = """srcip sport dstip dsport proto state dur sbytes dbytes sttl dttl sloss dloss service sload dload
    spkts dpkts swin dwin stcpb dtcpb smean dmean trans_depth response_body_len sjit djit stime ltime sinpkt
    dinpkt tcprtt synack ackdat is_sm_ips_ports ct_state_ttl ct_flw_http_mthd is_ftp_login ct_ftp_cmd
    ct_srv_src ct_srv_dst ct_dst_ltm ct_src_ltm ct_src_dport_ltm ct_dst_sport_ltm ct_dst_src_ltm attack_cat label"""
RAW: tuple[str, ...] = tuple(_RAW.split())
"""The 49 columns of UNSW-NB15_1.csv to _4.csv, by the names that the training sets use."""
ALIASES = {
    "smeansz": "smean",
    "dmeansz": "dmean",
    "res_bdy_len": "response_body_len",
    "sintpkt": "sinpkt",
    "dintpkt": "dinpkt",
    "target": "label",
}
TEXTS = frozenset(("proto", "state", "service"))
FLAGS = frozenset(("is_ftp_login", "is_sm_ips_ports"))
LEFT_OUT = frozenset(
    ("id", "srcip", "sport", "dstip", "dsport", "stime", "ltime", "sttl", "dttl", "ct_state_ttl", "stcpb", "dtcpb")
)
"""What may enter no model: addresses, ports, times, sequence numbers, and times to live, which tell the lab."""
NORMAL, ATTACK = "normal", "attack"
LABEL, KIND = "label", "attack_cat"
MARKS = frozenset(("spkts", "sbytes", "ct_srv_src", "ct_dst_ltm", LABEL))
LABEL_RULE = "column label (or target): 0 or 1; the kind of attack by attack_cat where that is text"
ERRATA = [
    "addresses, ports, times, sequence numbers and times to live are left out",
    "attack_cat is spelt several ways: lower case, no blanks around it, backdoors are backdoor",
]


def find(place: Path) -> list[Path]:
    """Return the UNSW-NB15 tables below a folder, or the file itself if it is one, sorted."""
    paths = sorted(place.rglob("*.csv")) if place.is_dir() else [place]
    return [path for path in paths if path.is_file() and _shape(path) is not None]


def load(places: Sequence[Path], feature_set: "FeatureSet", variant: str, row_limit: int = 200_000) -> NoReturn:
    """Refuse: raises NettrusionError, since these rows can train no model for the wire."""
    refuse(places, NAME, feature_set.name)


def read(paths: Sequence[Path]) -> Benchmark:
    """Read UNSW-NB15 files of one shape into one table, every file a source.

    Raises:
        NettrusionError: no file, a file of another kind, files of different shapes, or a cell that
            is no number where one belongs.
    """
    import pandas as pd

    if not paths:
        raise NettrusionError("no UNSW-NB15 file; give UNSW-NB15_1.csv or UNSW_NB15_training-set.csv, or their folder")
    manifest = Manifest(LABEL_RULE, list(ERRATA), about=[f"{NAME}: connections of a lab of 2015"])
    frames: list[pd.DataFrame] = []
    for path in paths:
        frame = _frame(path)
        if frames and list(frame.columns) != list(frames[0].columns):
            raise NettrusionError(f"{path}: other columns than {paths[0]}; read files of one shape at a time")
        manifest.files.append(SourceFile(path.name, path.stat().st_size, sha256_of(path), len(frame)))
        frames.append(frame)
    whole = pd.concat(frames, ignore_index=True)
    source = np.repeat(np.arange(len(paths)), [len(frame) for frame in frames])
    names = tuple(name for name in whole.columns if name not in LEFT_OUT | {LABEL, KIND})
    columns = {name: _cells(whole[name], name, manifest) for name in names}
    values, words = encode(columns, TEXTS, paths)
    limit_to_one(values, names, FLAGS, manifest)
    told, _ = encode({LABEL: _cells(whole[LABEL], LABEL, manifest)}, (), paths)
    attack = told[:, 0] == 1
    category = _kinds(whole, attack, manifest)
    for name, count in zip(*np.unique(category, return_counts=True), strict=True):
        manifest.kept[str(name)] = int(count)
    return Benchmark(
        values=values,
        names=names,
        words=words,
        label=category,
        category=category,
        attack=attack,
        source=source.astype(np.int64),
        sources=tuple(path.name for path in paths),
        manifest=manifest,
    )


def _shape(path: Path) -> tuple[tuple[str, ...], int] | None:
    """Return a file's column names and the lines of its header, by its first line; None for another kind."""
    with path.open(encoding="utf-8-sig", errors="replace") as stream:
        cells = [cell.strip().lower() for cell in stream.readline(8192).split(",")]
    if len(cells) == len(RAW) and cells[0].count(".") == 3 and cells[-1] in ("0", "1"):
        return RAW, 0
    names = tuple(ALIASES.get(cell, cell) for cell in cells)
    return (names, 1) if set(names) >= MARKS else None


def _frame(path: Path) -> "pd.DataFrame":
    """Return a file's cells as text under the training sets' names."""
    import pandas as pd

    shape = _shape(path) if path.is_file() else None
    if shape is None:
        raise NettrusionError(f"{path}: is no table of {NAME}; give a file as it was published")
    return pd.read_csv(
        path,
        header=None,
        skiprows=shape[1],
        names=list(shape[0]),
        dtype=str,
        keep_default_na=False,
        encoding="utf-8-sig",
        encoding_errors="replace",
    )


def _cells(column: "pd.Series[str]", name: str, manifest: Manifest) -> npt.NDArray[np.str_]:
    """Return a column without blanks around its cells; an empty number is 0 and counted."""
    cells = np.asarray(column.str.strip().to_numpy(dtype=np.str_))
    if name in TEXTS:
        return np.char.lower(cells)
    empty = cells == ""
    manifest.mend(f"{name} is empty: 0", int(empty.sum()))
    return np.where(empty, "0", cells)


def _kinds(whole: "pd.DataFrame", attack: npt.NDArray[np.bool_], manifest: Manifest) -> npt.NDArray[np.str_]:
    """Return (n,) the kind of attack where it is told in words, else only that it is one."""
    plain = np.where(attack, ATTACK, NORMAL)
    if KIND not in whole:
        return plain
    told = np.char.lower(np.char.strip(whole[KIND].to_numpy(dtype=np.str_)))
    told = np.where(told == "backdoors", "backdoor", told)
    coded = attack & np.char.isdigit(told)
    manifest.mend("attack_cat is a number that nobody explains: an attack of no kind", int(coded.sum()))
    worded = attack & ~coded & (told != "") & (told != NORMAL)
    return np.asarray(np.where(worded, told, plain))

"""The contest in words and tables, medians over seeds with their range."""

from collections.abc import Sequence
from statistics import median

from training.seeds.sequences.contest import Result
from training.seeds.sequences.events import Events
from training.seeds.sequences.judging import ALL, KNOWN, NEW, Parts

MARK = (
    "Rows of the alphabet `service` use the service class of a port, which no model for the wire may"
    " (it says which machine it is, and the lab has few). `shape` has protocol, direction and class of size,"
    " `protocol` the protocol alone."
)


def markdown(events: Events, parts: Parts, results: Sequence[Result], sources: Sequence[str]) -> str:
    """Return the report: what was read, how it was split, and a table each of hosts all, known and new."""
    groups = _grouped(results)
    lines = ["# Language model over services", "", *(f"- {source}" for source in sources), ""]
    for name, mask in (("train (normal alone)", parts.train), ("calibrate", parts.calibration), ("test", parts.test)):
        benign = int((mask & events.benign).sum())
        lines.append(f"- {name}: {benign} normal, {int(mask.sum()) - benign} attack flows")
    lines += ["", MARK, ""]
    for hosts in (ALL, KNOWN, NEW):
        any_one = results[0].figures[hosts]
        lines += [f"## {hosts.capitalize()}: {any_one.benign} normal, {any_one.attacks} attack flows", ""]
        lines += ["| model | alphabet | ROC-AUC | recall at 1e-2 (FPR met) | recall at 1e-3 (FPR met) |"]
        lines += ["|---|---|---|---|---|"]
        lines += [_row(group, hosts) for group in groups]
        lines.append("")
    lines += ["## Recall by family at 1e-2, all hosts", ""]
    names = list(results[0].figures[ALL].rates[0].families)
    lines += ["| model | alphabet | " + " | ".join(names) + " |", "|---|---|" + "---|" * len(names)]
    for group in groups:
        cells = [_range([one.figures[ALL].rates[0].families[name] for one in group]) for name in names]
        lines.append(f"| {group[0].model} | {group[0].alphabet} | " + " | ".join(cells) + " |")
    verdicts = {f"{rate.rate:g}": rate.verdict for rate in results[0].figures[ALL].rates}
    lines += ["", "Budgets: " + ", ".join(f"{rate} {verdict}" for rate, verdict in verdicts.items()) + ".", ""]
    return "\n".join(lines)


def _grouped(results: Sequence[Result]) -> list[list[Result]]:
    """Return the results of each model and alphabet together, seeds side by side."""
    groups: dict[tuple[str, str], list[Result]] = {}
    for result in results:
        groups.setdefault((result.model, result.alphabet), []).append(result)
    return list(groups.values())


def _row(group: Sequence[Result], hosts: str) -> str:
    found = [result.figures[hosts] for result in group]
    aucs = [one.roc_auc for one in found if one.roc_auc is not None]
    cells = [group[0].model, group[0].alphabet, _range(aucs) if aucs else "-"]
    for place in range(len(found[0].rates)):
        recall = _range([one.rates[place].recall for one in found])
        met = median(one.rates[place].false_positive_rate for one in found)
        cells.append(f"{recall} ({met:.2g})")
    return "| " + " | ".join(cells) + " |"


def _range(values: Sequence[float]) -> str:
    """Return the median, and the range where there is one."""
    low, middle, high = min(values), median(values), max(values)
    return f"{middle:.3f}" if f"{low:.3f}" == f"{high:.3f}" else f"{middle:.3f} ({low:.3f} to {high:.3f})"

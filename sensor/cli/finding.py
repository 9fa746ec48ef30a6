"""What calibrating found, for people and for programs."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sensor.calibrating import Finding
    from sensor.detector import BundleMeta
    from sensor.selftest import SelftestResult
    from sensor.traffic import Traffic


def report(finding: "Finding", meta: "BundleMeta", traffic: "Traffic") -> Iterator[str]:
    """Yield what was found, for people."""
    from sensor.calibration import time_text

    chosen, budget = finding.chosen, finding.budget
    span = f"{clock(time_text(finding.first_ns))} to {clock(time_text(finding.last_ns))} UTC"
    gaps = f", {finding.gaps} gaps of more than an hour not counted" if finding.gaps else ""
    yield f"traffic      {finding.flows:,} flows in {hours(finding.days)}, {span}{gaps}"
    left = ", ".join(f"{count:,} {why}" for why, count in traffic.counts.most_common())
    if left:
        yield f"left out     {left}"
    yield f"model        {meta.name} {meta.version}, sha256 {meta.sha256[:12]}; its own threshold {meta.threshold:.6f}"
    yield f"budget       {budget}" + ("" if budget.per == "day" else f", {budget.per_day:.3g} a day")
    if chosen.threshold is None:
        yield "threshold    none keeps it"
    else:
        yield f"threshold    {chosen.threshold:.6f}" + (
            " (lower ones were not tried: memory)" if finding.limited else ""
        )
        yield (
            f"alerts       {chosen.alerts:,} in this traffic, {rate(chosen.alerts_per_day)} a day; with 95 % confidence"
            f" at most {rate(chosen.upper_per_day)} a day (Poisson limit, Garwood 1936)"
        )
    yield f"checked      {checked(finding)}"
    yield f"certified    {certified(finding)}"
    for name in {**finding.alerts_by_class, **finding.flows_by_class}:
        alerts, flows = finding.alerts_by_class.get(name, 0), finding.flows_by_class.get(name, 0)
        yield f"  {name:<11}{alerts:,} alerts, {flows:,} flows reach the threshold"
    yield from top_lines(finding)


def checked(finding: "Finding") -> str:
    """Return what choosing on the earlier half of the time comes to on the later one."""
    check = finding.check
    if check is None:
        return "no: one half of the time is too short to choose by, or the other to count on"
    return (
        f"chosen on the earlier half of the time it is {check.found.threshold:.6f}, and the later half"
        f" ({hours(check.days)}) makes {check.found.alerts:,} alerts, {rate(check.found.alerts_per_day)} a day;"
        f" at most {rate(check.found.upper_per_day)}"
    )


def certified(finding: "Finding") -> str:
    """Return whether the traffic shows that the budget is kept, and what would."""
    certain = finding.certain
    if finding.days < finding.needed_days:
        return f"cannot be certified: {hours(finding.days)} seen; at least {hours(finding.needed_days)} needed"
    if finding.certified:
        return f"yes: the limit is within {finding.budget}"
    if certain.threshold is None:
        return "no, and no threshold here can be"
    return (
        f"no, the limit is above the budget; --certain takes {certain.threshold:.6f}"
        f" ({certain.alerts:,} alerts, at most {rate(certain.upper_per_day)} a day)"
    )


def top_lines(finding: "Finding") -> Iterator[str]:
    """Yield whose flows score highest, and why to look at them."""
    from sensor.calibration import time_text

    yield ""
    yield "highest scores, by source (* reaches the threshold). An attack among them raises it: --leave-out ADDRESS."
    for one in finding.top:
        where = f"{address(one.src)} -> {address(one.dst)}" + (f" port {one.dst_port}" if one.dst_port else "")
        flows = f"; {one.flows:,} flows to {one.destinations:,} addresses" if one.flows > 1 else ""
        mark = "*" if one.flows else " "
        yield f"{mark} {one.ppm / 1e6:.6f}  {clock(time_text(one.time_ns))}  {one.class_name:<10}  {where}{flows}"


def address(packed: bytes) -> str:
    """Return an address in text, `-` for none."""
    import ipaddress

    return str(ipaddress.ip_address(packed)) if packed else "-"


def clock(text: str) -> str:
    """Return an event's time as people read it, to the second."""
    return text[:19].replace("T", " ")


def hours(days: float) -> str:
    """Return a length of time for people."""
    if days >= 2:
        return f"{days:,.1f} days"
    return f"{days * 24:.1f} h" if days * 24 >= 1 else f"{days * 1440:.1f} min"


def rate(value: float) -> str:
    """Return a rate with no more digits than it deserves."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def as_json(
    finding: "Finding", meta: "BundleMeta", traffic: "Traffic", found: "SelftestResult | None"
) -> dict[str, Any]:
    """Return a finding for programs."""
    from sensor.calibration import time_text

    def choice(one: Any) -> dict[str, Any]:
        return {name: getattr(one, name) for name in ("threshold", "alerts", "alerts_per_day", "upper_per_day")}

    return {
        "model": f"{meta.name} {meta.version}",
        "sha256": meta.sha256,
        "budget": str(finding.budget),
        "flows": finding.flows,
        "hours": finding.days * 24,
        "gaps": finding.gaps,
        "first": time_text(finding.first_ns),
        "last": time_text(finding.last_ns),
        **choice(finding.chosen),
        "check": finding.check and {**choice(finding.check.found), "hours": finding.check.days * 24},
        "certified": finding.certified,
        "needed_hours": finding.needed_days * 24,
        "certain": choice(finding.certain),
        "limited": finding.limited,
        "alerts_by_class": dict(finding.alerts_by_class),
        "flows_by_class": dict(finding.flows_by_class),
        "left_out": dict(traffic.counts),
        "faults": traffic.faults,
        "selftest": None if found is None else {"passed": found.passed, "alerts": found.alerts},
        "top": [
            {
                "time": time_text(one.time_ns),
                "score": one.ppm / 1e6,
                "class": one.class_name,
                "src_ip": address(one.src),
                "dest_ip": address(one.dst),
                "dest_port": one.dst_port,
                "flows": one.flows,
                "destinations": one.destinations,
            }
            for one in finding.top
        ],
    }

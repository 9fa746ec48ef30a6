"""sid-msg.map: signature ids with their messages and references, for tools that see only the ids."""

from collections.abc import Iterable

from sensor.rulebook.rule import Rule


def sid_msg_map(rules: Iterable[Rule]) -> str:
    """Return the map of the alerting rules, a line each, sorted by id: `sid || msg || system,value`."""
    lines = []
    for rule in sorted(rules, key=lambda rule: (rule.sid, rule.gid)):
        if rule.action == "alert":
            references = [f"{one.system},{one.value}" for one in rule.references]
            lines.append(" || ".join([str(rule.sid), rule.msg, *references]) + "\n")
    return "".join(lines)

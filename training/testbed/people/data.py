"""Databases: people at a prompt, programs with and without a pool, nightly dumps, a cache and its news."""

from training.testbed.acts import Kind, Running, Stage
from training.testbed.services.cache import password
from training.testbed.services.database import DATABASE, ROWS
from training.testbed.world import USERS

SERVER = "store"
PEOPLE = ("ada", "ben", "cleo")
QUERIES = (
    "select count(*) from orders where state = 'open';",
    "select * from orders where customer = {one};",
    "select * from customers where id = {one};",
    "select * from customers order by id limit {some};",
    "select city, count(*), sum(total) from customers c join orders o on o.customer = c.id group by city;",
    "select * from orders where placed > timestamp '2026-01-01' + interval '{some} hours' limit {some};",
    "update orders set state = 'sent' where id = {one};",
    "insert into visits (page) values ('page-{one}');",
    "select * from orders where nothing = {one};",
)
SCRIPT = """\
\\set one random(1, {rows})
select * from customers where id = :one;
select * from orders where customer = :one;
insert into visits (page) values ('page');
"""


def query(stage: Stage) -> str:
    """Draw something that somebody may ask the database, now and then what it does not know."""
    rng = stage.rng
    some = max(1, min(ROWS, int(rng.lognormvariate(3.0, 1.4))))
    return rng.choices(QUERIES, (4, 8, 8, 4, 2, 4, 3, 4, 1))[0].format(one=rng.randint(1, ROWS), some=some)


def _access(stage: Stage, user: str) -> dict[str, str]:
    """Return the environment with which a client gets in; three in four encrypt."""
    encrypted = "require" if stage.rng.random() < 0.75 else "disable"
    return {"PGPASSWORD": stage.world.passwords[user], "PGSSLMODE": encrypted, "PSQLRC": "/dev/null", "PAGER": "cat"}


def _target(stage: Stage, user: str) -> list[str]:
    return ["-h", stage.world.name(SERVER), "-U", user, DATABASE]


def _prompt(stage: Stage, user: str) -> Running:
    words = ["psql", "-X", "-q", "-v", "ON_ERROR_STOP=0", *_target(stage, user)]
    return stage.start(*words, env=_access(stage, user), limit_s=stage.settings.get("longest_s", 50.0) + 10.0)


def session(stage: Stage) -> None:
    """Ask some questions at the prompt and read the answers; the password at times only on second try."""
    rng, user = stage.rng, stage.rng.choice(PEOPLE)
    if rng.random() < stage.settings["mistyped"]:
        access = _access(stage, user) | {"PGPASSWORD": "not-my-password"}
        stage.run("psql", "-X", *_target(stage, user), "-c", "select 1", env=access, ok=(2,))
        stage.pause(rng.lognormvariate(0.8, 0.4))
    prompt = _prompt(stage, user)
    for _ in range(1 + min(9, int(rng.expovariate(1 / 3)))):
        stage.pause(min(9.0, rng.lognormvariate(0.2, 0.8)))
        prompt.say(query(stage) + "\n")
    stage.pause(rng.expovariate(1.0))
    prompt.say("\\q\n")
    prompt.wait(5.0)


def pooled(stage: Stage) -> None:
    """Keep one connection for a program that asks now and then, in bursts."""
    rng = stage.rng
    prompt = _prompt(stage, rng.choice(PEOPLE))
    left_s = min(float(stage.settings["longest_s"]), rng.lognormvariate(0.0, 0.6) * float(stage.settings["typical_s"]))
    while left_s > 0.0:
        nap_s = min(left_s, rng.expovariate(1 / 4))
        stage.pause(nap_s)
        for _ in range(1 + int(rng.expovariate(0.7))):
            prompt.say(query(stage) + "\n")
        left_s -= nap_s + 0.01
    prompt.say("\\q\n")
    prompt.wait(5.0)


def unpooled(stage: Stage) -> None:
    """Serve some pages of a program that opens a connection for each of them."""
    rng = stage.rng
    script = stage.folder / "page.sql"
    script.write_text(SCRIPT.format(rows=ROWS))
    count = 2 + min(60, int(rng.lognormvariate(1.8, 0.8)))
    words = ["pgbench", "-n", "-C", "-c", "1", "-t", str(count), "-R", f"{rng.uniform(1.5, 12.0):.1f}"]
    words += ["--random-seed", str(rng.getrandbits(31)), "-f", str(script)]
    user = rng.choice(PEOPLE)
    stage.run(*words, *_target(stage, user), env=_access(stage, user), limit_s=50.0)


def batch(stage: Stage) -> None:
    """Fetch a table or a report as a whole, or bring many rows in."""
    rng, user = stage.rng, stage.rng.choice(USERS)
    access, target = _access(stage, user), _target(stage, user)
    form = rng.choice(("dump", "report", "load"))
    if form == "dump":
        table = rng.choice(("customers", "orders"))
        words = ["pg_dump", "-a", "-t", table, "--no-sync", "-f", str(stage.folder / "dump"), *target]
        stage.run(*words, env=access)
    elif form == "report":
        what = f"copy (select * from orders limit {int(400 * rng.lognormvariate(0.0, 1.2))}) to stdout"
        stage.run("psql", "-X", "-q", *target, "-o", "/dev/null", "-c", what, env=access)
    else:
        rows = "".join(f"page-{rng.getrandbits(40):x}\n" for _ in range(1 + int(300 * rng.lognormvariate(0.0, 1.3))))
        stage.run("psql", "-X", "-q", *target, "-c", "copy visits (page) from stdin", stdin=rows.encode(), env=access)


def _redis(stage: Stage) -> tuple[list[str], dict[str, str]]:
    return ["redis-cli", "-h", stage.world.name(SERVER)], {"REDISCLI_AUTH": password(stage.world)}


def cache(stage: Stage) -> None:
    """Read and write the cache of a web program: one connection with much, or several with little."""
    rng = stage.rng
    words, access = _redis(stage)
    form = rng.choices(("pipeline", "short", "crowd", "mistyped"), (4, 5, 2, 0.4))[0]
    if form == "pipeline":
        said = "".join(_asked(stage) for _ in range(5 + int(rng.lognormvariate(3.5, 1.0))))
        stage.run(*words, stdin=said.encode(), env=access)
    elif form == "short":
        for _ in range(1 + min(25, int(rng.lognormvariate(1.3, 0.8)))):
            stage.run(*words, *_asked(stage).split(), env=access)
            stage.pause(rng.expovariate(8.0))
    elif form == "crowd":
        many = [str(rng.randint(2, 8)), "-n", str(20 + int(rng.lognormvariate(4.0, 1.0)))]
        kinds = ",".join(rng.sample(("get", "set", "incr", "lpush", "lrange_100"), 2))
        size = str(10 + int(rng.lognormvariate(4.5, 1.0)))
        stage.run(
            "redis-benchmark", *words[1:], "-a", password(stage.world), "-q", "-d", size, "-t", kinds, "-c", *many
        )
    else:
        stage.run(*words, "get", "page:1", env={"REDISCLI_AUTH": "not-the-password"}, ok=None)


def _asked(stage: Stage) -> str:
    rng = stage.rng
    page = f"page:{min(1_499, int(rng.paretovariate(0.7)))}"
    kinds = (
        f"get {page}",
        f"set {page} {'v' * max(1, int(rng.lognormvariate(4.5, 1.2)))}",
        f"incr hits:{page}",
        "ping",
    )
    return rng.choices((*kinds, f"mget {page} page:1 page:7 page:12"), (8, 3, 3, 1, 2))[0] + "\n"


def subscribe(stage: Stage) -> None:
    """Wait for news on some channels, for a minute or more."""
    rng = stage.rng
    words, access = _redis(stage)
    longest_s = float(stage.settings["longest_s"])
    channels = rng.sample(("orders", "news", "stock", "alarms"), rng.randint(1, 3))
    listener = stage.start(*words, "subscribe", *channels, env=access, limit_s=longest_s + 10.0)
    stage.pause(min(longest_s, rng.lognormvariate(0.0, 0.6) * float(stage.settings["typical_s"])))
    listener.stop()


def publish(stage: Stage) -> None:
    """Tell the news, one after the other."""
    rng = stage.rng
    words, access = _redis(stage)
    client = stage.start(*words, env=access, limit_s=50.0)
    for _ in range(2 + int(rng.expovariate(1 / 8))):
        what = "x" * (10 + min(5_000, int(rng.lognormvariate(4.5, 1.0))))
        client.say(f"publish {rng.choice(('orders', 'news', 'stock', 'alarms'))} {what}\n")
        stage.pause(min(5.0, rng.expovariate(1.5)))
    client.wait(5.0)


PSQL = {"psql": "postgresql-client-15"}
REDIS = {"redis-cli": "redis-tools"}
POSTGRES = ("postgres",)
KINDS = (
    Kind("sql-session", "benign", session, PSQL, POSTGRES, 8.0, 70.0, {"mistyped": 0.08}),
    Kind("sql-pool", "benign", pooled, PSQL, POSTGRES, 60.0, 240.0, {"typical_s": 50.0, "longest_s": 200.0}),
    Kind("sql-app", "benign", unpooled, {"pgbench": "postgresql-15"}, POSTGRES, 3.0, 60.0),
    Kind("sql-batch", "benign", batch, PSQL | {"pg_dump": "postgresql-client-15"}, POSTGRES, 0.5, 40.0),
    Kind("redis-cache", "benign", cache, REDIS | {"redis-benchmark": "redis-tools"}, ("redis",), 1.0, 40.0),
    Kind(
        "redis-subscribe", "benign", subscribe, REDIS, ("redis",), 60.0, 240.0, {"typical_s": 50.0, "longest_s": 200.0}
    ),
    Kind("redis-publish", "benign", publish, REDIS, ("redis",), 8.0, 60.0),
)

"""Things that live in a home: what they tell a broker, everybody on their link, and each other.

Their broadcasts come from ports that belong to the purpose: where another program has the port, the
sender keeps quiet (exit code `datagrams.TAKEN`).
"""

from training.testbed.acts import Kind, Stage
from training.testbed.datagrams import TAKEN
from training.testbed.people.peers import PATH, Talk, peer
from training.testbed.people.shell import pause_s
from training.testbed.services.cloud import MQTT, MQTTS, authority, broker
from training.testbed.world import RUN

SSDP = ("239.255.255.250", 1900)
TOPICS = (
    "home/{room}/temperature",
    "home/{room}/state",
    "tele/{room}/SENSOR",
    "zigbee2mqtt/{room}",
    "stat/{room}/POWER",
)
ROOMS = ("kitchen", "hall", "bath", "garden", "attic", "door", "meter", "lamp-3", "plug-7")


def mqtt(stage: Stage) -> None:
    """Hold a connection to the broker: listen, tell something now and then, be asked whether one is alive."""
    rng, world, settings = stage.rng, stage.world, stage.settings
    tls = rng.random() < 0.6
    base = ["-h", broker(world), "-p", str(MQTTS if tls else MQTT), "-i", f"dev-{rng.getrandbits(40):x}"]
    base += ["--cafile", str(authority(world))] if tls else []
    base += ["-V", rng.choice(("311", "311", "5"))]
    topic = rng.choice(TOPICS).format(room=rng.choice(ROOMS))
    length_s = min(float(settings["longest_s"]), 6.0 + rng.lognormvariate(2.6, 0.7))
    alive = ["-k", str(rng.choice((5, 5, 8, 10, 15, 30)))]
    way = rng.choices(("listen", "tell", "once"), (35, 45, 20))[0]
    if way == "listen":
        words = ["mosquitto_sub", *base, *alive, "-t", rng.choice((topic, "home/#", "tele/#")), "-W", f"{length_s:.0f}"]
        stage.run(*words, "-q", rng.choice("01"), limit_s=length_s + 10.0, ok=(0, 27))
    elif way == "tell":
        sensor = stage.start("mosquitto_pub", *base, *alive, "-t", topic, "-q", rng.choice("012"), "-l", limit_s=120.0)
        left_s, every_s = length_s, rng.choice((1.0, 2.0, 5.0, 10.0))
        while left_s > 0.0:
            sensor.say("{" + "v" * int(min(1_500, rng.lognormvariate(3.8, 0.9))) + "}\n")
            wait_s = max(0.2, every_s * rng.gauss(1.0, 0.06))
            stage.pause(wait_s)
            left_s -= wait_s
        sensor.wait()
    else:
        for _ in range(min(5, int(rng.paretovariate(1.3)))):
            text = "v" * int(min(1_500, rng.lognormvariate(3.5, 0.8)))
            retained = ["-r"] if rng.random() < 0.3 else []
            stage.run("mosquitto_pub", *base, "-t", topic, "-q", rng.choice("01"), *retained, "-m", text, limit_s=15)
            stage.pause(pause_s(stage, 1.0, 0.7, 5.0))


def announce(stage: Stage) -> None:
    """Tell everybody on the link by SSDP what one is: all of it at once, twice or three times over."""
    rng = stage.rng
    talk = Talk(stage, (stage.host.v4, 0))
    at_s, services = 0.0, rng.randint(2, 9)
    for _ in range(rng.randint(1, 3)):
        for _ in range(services):
            talk.ask(SSDP, at_s, rng.randint(260, 480))
            at_s += rng.uniform(0.0, 0.03)
        at_s += rng.uniform(0.1, 2.5)
    talk.run()


def ssdp_answers(stage: Stage) -> None:
    """Search by SSDP; a device elsewhere, asked by other means, answers from its own port to the searcher's."""
    rng, host = stage.rng, stage.host
    device = rng.choice([name for name in ("camera", "store", "office", "infra") if name != host.name])
    port, window_s = rng.randint(32_768, 60_900), rng.choice((1, 2, 3, 3))
    talk = Talk(stage, (host.v4, port))
    for place in range(rng.randint(1, 4)):
        talk.ask(SSDP, place * rng.choice((0.05, 0.5, 1.0)), rng.randint(92, 140))
    searcher = stage.start(*talk.words("search", linger_s=window_s), env=PATH, limit_s=20.0)
    answer = Talk(stage, (stage.world.host(device).v4, rng.choice((1900, 0, 0))))
    for _ in range(rng.randint(1, 9)):
        how = {"size": rng.randint(280, 460), "back_size": 0, "sure": 1}
        answer.stream((host.v4, port), 0.2 + rng.uniform(0.0, window_s), 0.01, 0.01, **how)
    stage.run(*answer.words("answer"), env=PATH, at=device, limit_s=20.0, ok=(0, TAKEN))
    searcher.wait()


def broadcast(stage: Stage) -> None:
    """Shout on the link: names, shares, lamps, plugs and games that look for each other."""
    rng, host = stage.rng, stage.host
    everybody = f"{host.v4.rpartition('.')[0]}.255"
    sought = (
        (137, everybody, 137, (50,), (0.75, 3)),
        (138, everybody, 138, (201, 229, 243), (0.5, 2)),
        (17500, "255.255.255.255", 17500, (140, 210, 330), (0.02, 3)),
        (0, "224.0.0.252", 5355, (24, 30, 36), (0.1, 2)),
        (0, "239.255.255.250", 3702, (640, 980, 1070), (0.15, 4)),
        (0, "255.255.255.255", 9999, (28, 44), (0.5, 4)),
        (0, everybody, 6667, (180, 190), (3.0, 5)),
        (0, "255.255.255.255", 56700, (36,), (0.4, 4)),
        (57621, everybody, 57621, (44,), (1.0, 1)),
        (0, "239.192.152.143", 6771, (119, 150), (0.3, 2)),
        (5678, "255.255.255.255", 5678, (108, 150), (1.0, 2)),
        (27036, everybody, 27036, (48, 80), (1.0, 2)),
        (0, "224.0.0.251", 5353, (40, 72, 160, 340), (1.0, 4)),
        (0, "224.0.1.187", 5683, (24, 60), (0.5, 2)),
    )
    own, to, port, sizes, (every_s, most) = rng.choice(sought)
    talk = Talk(stage, (host.v4, own))
    at_s = 0.0
    for _ in range(rng.randint(1, most)):
        talk.ask((to, port), at_s, rng.choice(sizes))
        at_s += every_s * rng.uniform(0.9, 1.1)
    # What is bound to an address gets no broadcasts, so nobody on the host answers it.
    lock = str(RUN / f"shout-{host.name}-{own}.lock")
    stage.run("flock", "-n", lock, *talk.words(), env=PATH, limit_s=30.0, ok=(0, 1, TAKEN))


def lease(stage: Stage) -> None:
    """Join the network: ask for an address by broadcast, then have the one there is renewed by its giver."""
    rng, host, infra = stage.rng, stage.host, stage.world.host("infra").v4
    mac = f"02:77:00:00:{host.number:02x}:10"
    if rng.random() < 0.6:
        ask = ["-i", f"at-{host.name}", "-f", "-n", "-q", "-s", "/bin/true", "-x", f"hostname:{host.name}"]
        ask += ["-t", str(rng.randint(1, 4)), "-T", str(rng.randint(1, 2)), "-A", "1"]
        ask += ["-V", rng.choice(("MSFT 5.0", "android-dhcp-14", "udhcp 1.36", "dhcpcd-9", "ESP32"))]
        stage.run("flock", "-n", str(RUN / "dhcp.lock"), "udhcpc", *ask, limit_s=20, ok=(0, 1))
    for _ in range(rng.choice((0, 1, 1, 2))):
        way = rng.choice((["-i"], ["-r"]))
        words = ["dhcping", *way, "-t", str(rng.randint(1, 3)), "-c", host.v4, "-s", infra, "-h", mac]
        stage.run("flock", "-n", str(RUN / f"dhcp-{host.name}.lock"), *words, ok=(0, 1))
        stage.pause(pause_s(stage, 0.8, 0.6, 3.0))


def camera(stage: Stage) -> None:
    """Send pictures as RTP: a burst of packets a frame, and hear how they arrived; to the house or the cloud."""
    rng, world = stage.rng, stage.world
    cloud = rng.random() < 0.6
    where = peer(stage, gone=0.05, closed=0.03) if cloud else (world.host("store").v4, rng.randint(5_000, 60_000))
    talk = Talk(stage, ("0.0.0.0", 2 * rng.randint(5_000, 30_000)))
    length_s = min(float(stage.settings["longest_s"]), 3.0 + rng.lognormvariate(1.7, 0.7))
    frames = rng.choice((8, 10, 15, 15, 25))
    burst = rng.choice((1, 2, 2, 3, 4))
    if cloud:
        talk.ask(where, 0.0, 108, 2)
    talk.stream(
        where, 0.4, length_s, 1 / frames, size=rng.randint(700, 1_250), burst=burst, back=0, back_size=84, sure=1
    )
    viewer = None
    if not cloud:
        # Whoever looks on says how it arrives.
        seen = Talk(stage, (where[0], where[1]))
        how = {"size": 84, "back_size": 0, "sure": 1}
        seen.stream((stage.host.v4, talk.local[1]), 0.6, length_s, rng.choice((1.0, 2.0, 5.0)), **how)
        viewer = stage.start(*seen.words("viewer"), env=PATH, at="store", limit_s=length_s + 10.0)
    talk.run()
    if viewer:
        viewer.wait()


MOSQUITTO = {"mosquitto_pub": "mosquitto-clients", "mosquitto_sub": "mosquitto-clients"}
FLOCK = {"flock": "util-linux"}
LONGEST = {"longest_s": 60.0}
KINDS = (
    Kind("mqtt", "benign", mqtt, MOSQUITTO, ("broker", "dns"), 19.0, 130.0, LONGEST),
    Kind("ssdp-announce", "benign", announce, {}, (), 3.0, 30.0),
    Kind("ssdp-answers", "benign", ssdp_answers, {}, (), 4.0, 40.0),
    Kind("lan-broadcast", "benign", broadcast, FLOCK, (), 3.0, 40.0),
    Kind("dhcp-lease", "benign", lease, {"udhcpc": "udhcpc", "dhcping": "dhcping", **FLOCK}, ("dhcp",), 4.0, 60.0),
    Kind("camera-stream", "benign", camera, {}, ("peers", "peers-bots"), 9.0, 60.0, {"longest_s": 22.0}),
)

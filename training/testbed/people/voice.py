"""Telephone: calls with speech both ways, fifty packets a second, and calls that nobody takes."""

import random

from training.testbed.acts import Kind, Stage
from training.testbed.services.voice import SIP_PORT

RATE_BYTES = 8_000
CALL = """\
<?xml version="1.0" encoding="ISO-8859-1" ?>
<scenario name="call">
 <send retrans="500"><![CDATA[
INVITE sip:{callee}@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: {caller} <sip:{caller}@[local_ip]:[local_port]>;tag=[pid]{tag}[call_number]
To: {callee} <sip:{callee}@[remote_ip]:[remote_port]>
Call-ID: [call_id]
CSeq: 1 INVITE
Contact: sip:{caller}@[local_ip]:[local_port]
Max-Forwards: 70
User-Agent: Desk phone 4.2
Content-Type: application/sdp
Content-Length: [len]

v=0
o={caller} {tag} {tag} IN IP[local_ip_type] [local_ip]
s=-
c=IN IP[media_ip_type] [media_ip]
t=0 0
m=audio [media_port] RTP/AVP 0 101
a=rtpmap:0 PCMU/8000
a=rtpmap:101 telephone-event/8000
a=sendrecv

 ]]></send>
 <recv response="100" optional="true"></recv>
 <recv response="180" optional="true"></recv>
 <recv response="200" rtd="true"></recv>
 <pause milliseconds="{think_ms}"/>
 <send><![CDATA[
ACK sip:{callee}@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: {caller} <sip:{caller}@[local_ip]:[local_port]>;tag=[pid]{tag}[call_number]
To: {callee} <sip:{callee}@[remote_ip]:[remote_port]>[peer_tag_param]
Call-ID: [call_id]
CSeq: 1 ACK
Max-Forwards: 70
Content-Length: 0

 ]]></send>
{talk}
 <send retrans="500"><![CDATA[
BYE sip:{callee}@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: {caller} <sip:{caller}@[local_ip]:[local_port]>;tag=[pid]{tag}[call_number]
To: {callee} <sip:{callee}@[remote_ip]:[remote_port]>[peer_tag_param]
Call-ID: [call_id]
CSeq: 2 BYE
Max-Forwards: 70
Content-Length: 0

 ]]></send>
 <recv response="200"></recv>
</scenario>
"""


def call(stage: Stage) -> None:
    """Ring somebody up and talk; the length is lognormal, the longest by the setting."""
    rng = stage.rng
    longest_s = float(stage.settings["longest_s"])
    seconds = max(4.0, min(longest_s, rng.lognormvariate(0.0, 0.7) * float(stage.settings["typical_s"])))
    speech, scenario = stage.folder / "speech.ulaw", stage.folder / "call.xml"
    with speech.open("wb") as out:
        out.truncate(int((seconds + 5.0) * RATE_BYTES))
    values: dict[str, object] = {
        "callee": rng.randint(100, 899),
        "caller": rng.randint(100, 899),
        "tag": rng.getrandbits(30),
    }
    values |= {"think_ms": int(rng.lognormvariate(3.0, 0.5)), "talk": _talk(rng, f"{speech},1,0,PCMU/8000", seconds)}
    scenario.write_text(CALL.format(**values))
    web, here = stage.world.host("web").v4, stage.host.v4
    media = 2 * rng.randint(5_000, 7_900)
    words = ["sipp", f"{web}:{SIP_PORT}", "-sf", str(scenario), "-m", "1", "-nostdin", "-i", here, "-mi", here]
    words += ["-p", str(rng.randint(20_000, 30_000)), "-mp", str(media)]
    stage.run(*words, "-timeout", f"{seconds + 15:.0f}", limit_s=seconds + 20.0)


def _talk(rng: random.Random, speech: str, seconds: float) -> str:
    """Return the middle of a call: speech without a break, or (two in five) nothing sent in the pauses."""
    lines: list[str] = []
    left_s, what = seconds, speech
    while left_s > 0.0:
        length_s = min(left_s, rng.lognormvariate(0.6, 0.7) if rng.random() < 0.4 or len(lines) else left_s)
        lines.append(f'<nop><action><exec rtp_stream="{what}"/></action></nop>')
        lines.append(f'<pause milliseconds="{length_s * 1000:.0f}"/>')
        what = "resume" if what == "pause" else "pause"
        left_s -= length_s
    return "\n".join(lines)


def unanswered(stage: Stage) -> None:
    """Ring at a host that has no telephone, and give up."""
    rng, here = stage.rng, stage.host.v4
    nobody = stage.world.host(rng.choice(("infra", "store"))).v4
    words = ["sipp", f"{nobody}:{SIP_PORT}", "-sn", "uac", "-m", "1", "-nostdin", "-i", here, "-mi", here]
    words += ["-p", str(rng.randint(20_000, 30_000)), "-max_invite_retrans", str(rng.randint(1, 3))]
    stage.run(*words, ok=(1,))


NEEDS = {"sipp": "sip-tester"}
KINDS = (
    Kind("voip-call", "benign", call, NEEDS, ("voip",), 22.0, 90.0, {"typical_s": 20.0, "longest_s": 60.0}),
    Kind("voip-unanswered", "benign", unanswered, NEEDS, ("voip",), 5.0, 20.0),
)

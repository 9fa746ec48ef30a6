"""Standard output as a sink."""

from sensor.sinks import StdoutSink


def test_lines_follow_what_was_printed_and_the_descriptor_stays_open(capfd):
    print("before", end="\n")
    sink = StdoutSink()
    sink.write([b"one\n", b"two\n"])
    sink.flush()
    sink.reopen()
    sink.close()
    print("after")
    assert capfd.readouterr().out == "before\none\ntwo\nafter\n"
    assert sink.counters["lines"] == 2

"""What holds up the hub is in the log with its stack; what waits as it should is not."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
from gevent import monkey
monkey.patch_all()
import logging, time
import gevent
from gevent import events
from portalfw.hub_watch import HubWatch
logging.basicConfig(format="%(message)s")
clock = [0.0]
watch = HubWatch(now=lambda: clock[0])
watch.start()
blocked = []
events.subscribers.append(lambda event: isinstance(event, events.EventLoopBlocked) and blocked.append(event))

def hog():
    before, until = len(blocked), time.perf_counter() + 30
    while len(blocked) == before and time.perf_counter() < until:  # a busy machine gives the watch its turn late
        pass

def well_behaved():
    time.sleep(1.0)

def tell_of(function):
    gevent.spawn(function).join()
    gevent.sleep(0.2)
    watch.tell()

tell_of({0})
{1}
watch.stop()
"""


def said(first: str, then: str = "") -> str:
    """Run the one function under the watch, then the other lines, and return what was logged."""
    script = SCRIPT.replace("{0}", first).replace("{1}", then)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    return done.stderr


def test_who_holds_up_the_hub_is_named() -> None:
    """A loop that gives nobody else a turn is told of, with the function in the stack."""
    text = said("hog")
    assert "The hub was held up" in text
    assert "in hog" in text


def test_log_is_not_flooded() -> None:
    """The second time within a minute waits until the minute is over."""
    assert said("hog", "tell_of(hog)").count("The hub was held up") == 1
    assert said("hog", "tell_of(hog); clock[0] = 61.0; watch.tell()").count("The hub was held up") == 2


def test_waiting_is_no_offence() -> None:
    """A greenlet that sleeps lets the others run, so there is nothing to tell."""
    assert "in well_behaved" not in said("well_behaved")

import os
import subprocess
import sys

import pytest

from parlour_bench.process import weigh


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells what a process holds")
def test_a_process_is_weighed_with_its_children() -> None:
    alone = weigh(os.getpid())
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        family = weigh(os.getpid())
        child.communicate(b"\n")
    assert alone is not None
    assert family is not None
    assert family.processes == alone.processes + 1
    assert 0 < alone.uss_mb <= alone.pss_mb <= alone.rss_mb


def test_a_process_that_is_gone_weighs_nothing() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as child:
        child.wait()
    assert weigh(child.pid) is None

"""The bench reads CPU and memory of a function from /proc."""

import os

import pytest

from bench.proc import parse_pss, parse_stat

STAT = "4711 (a (strange) name) S 1 4700 4700 0 -1 4194560 9 0 0 0 150 50 7 8 20 0 1 0 100 0 0"


def test_a_stat_gives_group_and_cpu() -> None:
    """The group and the CPU of a process are read, whatever its name, and without that of its children."""
    stat = parse_stat(STAT)
    assert stat.group == 4700
    assert stat.cpu * os.sysconf("SC_CLK_TCK") == pytest.approx(200)


def test_the_memory_is_the_proportional_set() -> None:
    """The memory is the line Pss, and none of its parts."""
    assert parse_pss("0000 [rollup]\nRss: 900 kB\nPss: 123 kB\nPss_Anon: 100 kB\n") == 123 * 1024

"""The drawing stays true to the numbers, and small."""

from __future__ import annotations

import re
from itertools import pairwise

import numpy as np
import pytest

from chasqui.metrics.targets import TARGETS
from chasqui.publish.picture import MOST_BLOCKS, PANEL_HEIGHT, WIDTH, colour_of, draw
from chasqui.publish.wave import Outline
from chasqui.records import Measured, Scores


def part(n, **change):
    facts = {
        "segment": n,
        "start_s": n * 10.0,
        "end_s": n * 10.0 + 10,
        "kind": "speech",
        "rung": "voice-8",
        "bytes": 9000,
        "scores": Scores(estoi=0.9, visqol=3.4),
        "kept": "comfortable",
        "reachable": True,
        "stepped_up": 0,
    }
    return Measured(**(facts | change))


def drawing(parts, target="comfortable"):
    shape = np.linspace(0, 1, 50, dtype=np.float32)
    return draw(Outline(-shape, shape, shape / 3), parts, parts[-1].end_s if parts else 1.0, TARGETS[target])


def test_parts_cover_the_whole_width_without_gaps():
    blocks = drawing([part(n) for n in range(7)]).blocks
    assert blocks[0].x == 0
    assert blocks[-1].x + blocks[-1].width == pytest.approx(WIDTH, abs=0.05)
    for before, after in pairwise(blocks):
        assert before.x + before.width == pytest.approx(after.x, abs=0.05)


def test_ten_hours_are_drawn_with_the_worst_of_neighbours():
    parts = [part(n, rung="voice-24" if n == 1234 else "voice-6") for n in range(3600)]
    parts[2000] = part(2000, scores=Scores(estoi=0.41, visqol=3.4))
    drawn = drawing(parts)
    assert len(drawn.blocks) <= MOST_BLOCKS
    assert sum(b.rung == "voice-24" for b in drawn.blocks) == 1
    assert [m.kept for m in drawn.panels[0].marks].count(False) == 1
    assert drawn.blocks[-1].last == 3599


@pytest.mark.parametrize(("estoi", "kept"), [(0.80, True), (0.7999, False)])
def test_a_part_under_its_target_is_marked(estoi, kept):
    drawn = drawing([part(0, scores=Scores(estoi=estoi, visqol=3.0))])
    assert [panel.marks[0].kept for panel in drawn.panels] == [kept, True]


def test_better_is_higher():
    low, high = drawing([part(0, scores=Scores(estoi=0.5)), part(1, scores=Scores(estoi=0.95))]).panels[0].marks
    assert high.y < low.y


def test_scores_outside_the_panel_stay_inside_the_drawing():
    panel = drawing([part(0, scores=Scores(estoi=-0.2)), part(1, scores=Scores(estoi=1.0))]).panels[0]
    assert [mark.y for mark in panel.marks] == [panel.top + PANEL_HEIGHT, panel.top]


def test_music_is_held_to_its_own_goal_and_silence_to_none():
    parts = [
        part(0, kind="music", rung="audio-16", scores=Scores(visqol=3.2), kept="understood"),
        part(1),
        part(2, kind="silence", scores=Scores(), kept=None),
        part(3),
    ]
    estoi, visqol = drawing(parts).panels
    assert [m.kept for m in visqol.marks] == [False, True, True]
    assert len({goal.y for goal in visqol.goals}) == 2
    assert len(estoi.goals) == 2  # not over the music, not over the silence


def test_understood_asks_nothing_of_visqol_in_speech():
    visqol = drawing([part(0, scores=Scores(estoi=0.9, visqol=1.5))], "understood").panels[1]
    assert visqol.target is None
    assert visqol.goals == ()
    assert visqol.marks[0].kept


def test_a_metric_that_nobody_measured_has_no_panel():
    assert [p.metric for p in drawing([part(0, scores=Scores(estoi=0.9))]).panels] == ["estoi"]
    assert drawing([part(0, kind="silence", scores=Scores(), kept=None)]).panels == ()


def test_dearer_rungs_never_wear_a_cheaper_colour():
    rungs = ["voice-5.5", "voice-6", "voice-7", "voice-9", "voice-12", "audio-16", "voice-24", "audio-48"]
    colours = [colour_of(rung) for rung in rungs]
    assert colours == sorted(colours)
    assert colours[0] == 0
    assert colours[-1] == 6


def test_the_loudest_moment_fills_the_height_and_silence_is_a_thread():
    heights = [float(y) for y in re.findall(r" (-?[\d.]+)", drawing([part(0)]).outline)]
    assert max(heights) - min(heights) == pytest.approx(133)
    flat = Outline(*(np.zeros(10, np.float32) for _ in range(3)))
    assert "nan" not in draw(flat, [part(0)], 10.0, TARGETS["clear"]).outline

"""The holdout is the later half of what came after the onset, and its hash holds."""

from datetime import timedelta

import numpy as np

from agentops_graph.gathering.holdout import digest, freeze, split
from tests.gathering.fraud_world import NOW

ONSET = NOW - timedelta(hours=1)


def test_the_later_half_is_held_out_and_the_hash_can_be_checked_again(world):
    world.log(onset=ONSET)
    held = freeze(world.warehouse, world.component, ONSET, NOW)
    rows = world.warehouse.predictions("fraud-detector", held.train_from, NOW, labelled=True)
    train, holdout = split(rows, held.train_until, held.holdout_until)
    assert digest(rows, holdout) == held.sha256
    assert not (train & holdout).any()
    assert abs(int(train.sum()) - int(holdout.sum())) <= 1
    assert held.rows == holdout.sum()
    assert held.positives == int(np.sum(rows.label[holdout] == 1)) > 0
    assert rows.timestamps[train].max() < rows.timestamps[holdout].min()


def test_rows_that_come_later_leave_the_hash_as_it_is(world):
    world.log(onset=ONSET)
    held = freeze(world.warehouse, world.component, ONSET, NOW)
    world.log(hours=1, until=NOW + timedelta(hours=1), seed=3)
    rows = world.warehouse.predictions("fraud-detector", ONSET, NOW + timedelta(hours=1))
    _, holdout = split(rows, held.train_until, held.holdout_until)
    assert digest(rows, holdout) == held.sha256


def test_a_changed_label_changes_the_hash(world):
    world.log(onset=ONSET)
    held = freeze(world.warehouse, world.component, ONSET, NOW)
    rows = world.warehouse.predictions("fraud-detector", ONSET, NOW)
    _, holdout = split(rows, held.train_until, held.holdout_until)
    rows.label[np.flatnonzero(holdout)[7]] = 0.5
    assert digest(rows, holdout) != held.sha256


def test_four_hundred_labelled_rows_are_needed(world):
    world.log(hours=1, per_hour=399)
    assert freeze(world.warehouse, world.component, ONSET, NOW) is None
    world.log(hours=1, per_hour=5000, seed=2, actual_label=None)
    assert freeze(world.warehouse, world.component, ONSET, NOW) is None
    world.log(hours=0.5, per_hour=10, seed=4)
    assert freeze(world.warehouse, world.component, ONSET, NOW).rows == 202

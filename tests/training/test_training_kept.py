"""What a run hears can be kept for other runs: it is what they would have heard without."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import IO

import numpy as np
import pytest
from run_notes import Notes, averaged_weights
from tone_recipe import write_tone_recipe

from wakeword.data.sources import Mined
from wakeword.errors import TrainingError
from wakeword.training.kept import KeptPlan, heard_key, read_shard
from wakeword.training.recipe import Recipe, read_recipe
from wakeword.training.run import TrainingRun
from wakeword.training.windows import SceneArrays


class Counted:
    """A plan that counts what it makes."""

    def __init__(self) -> None:
        self.made: list[int] = []

    def make(self, number: int) -> SceneArrays:
        self.made.append(number)
        rng = np.random.default_rng(number)
        n = 3
        times = rng.integers(0, 9, (3, n))
        return SceneArrays(rng.random((n, 8, 2)).astype(np.float16), *times)


def test_a_shard_is_made_once_and_read_again_as_it_was(tmp_path: Path) -> None:
    plan = Counted()
    kept = KeptPlan(plan, tmp_path / "not" / "there yet")
    made = [kept.make(number) for number in (1, 0, 1)]
    again = KeptPlan(plan, kept.folder).make(1)
    assert plan.made == [1, 0]
    for name in ("features", "label", "start", "end"):
        assert np.array_equal(getattr(made[2], name), getattr(made[0], name))
        assert np.array_equal(getattr(again, name), getattr(made[0], name))
        assert getattr(again, name).dtype == getattr(made[0], name).dtype
    assert sorted(p.name for p in kept.folder.iterdir()) == ["shard-0000.npz", "shard-0001.npz"]


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04 cut", b"\x93NUMPY nothing of the kind"])
def test_a_damaged_shard_is_an_error_that_says_what_to_do(tmp_path: Path, damage: bytes) -> None:
    KeptPlan(Counted(), tmp_path).make(0)
    (tmp_path / "shard-0000.npz").write_bytes(damage)
    with pytest.raises(TrainingError, match=r"shard-0000\.npz cannot be read.*delete it"):
        read_shard(tmp_path, 0)


def test_an_interrupted_write_leaves_no_shard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(file: IO[bytes], **arrays: object) -> None:
        file.write(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(np, "savez", stopped)
    with pytest.raises(KeyboardInterrupt):
        KeptPlan(Counted(), tmp_path).make(0)
    assert list(tmp_path.iterdir()) == []


def test_what_is_heard_has_a_name_that_the_network_does_not_change(tmp_path: Path) -> None:
    recipe = read_recipe(write_tone_recipe(tmp_path))
    t = recipe.training

    def key(changed: Recipe = recipe, sha: str = "a", mined: tuple[Mined, ...] = ()) -> str:
        return heard_key(changed, sha, mined)

    network = replace(recipe.network, family="tc-resnet8", parameters={})
    longer = replace(t, rounds=9, learning_rate=0.5, batch=3, precision="bfloat16")
    assert key() == key(replace(recipe, network=network)) == key(replace(recipe, training=longer))
    others = {
        key(sha="b"),
        key(mined=(Mined(0, 5, 0.9),)),
        key(replace(recipe, training=replace(t, seed=t.seed + 1))),
        key(replace(recipe, training=replace(t, scenes_per_round=t.scenes_per_round + 1))),
        key(replace(recipe, scenes=replace(recipe.scenes, snr_db=(1.0, 2.0)))),
        key(replace(recipe, data=replace(recipe.data, rooms=3))),
        key(replace(recipe, bundle=replace(recipe.bundle, words=recipe.bundle.words[::-1]))),
    }
    assert len(others | {key()}) == 8


def test_runs_that_keep_what_they_hear_end_with_the_same_weights(tmp_path: Path) -> None:
    recipe, keep = write_tone_recipe(tmp_path), tmp_path / "heard"
    runs = [TrainingRun(recipe, tmp_path / "runs" / name, 0, Notes(), keep=where)
            for name, where in (("plain", None), ("first", keep), ("second", keep))]  # fmt: skip
    times = []
    for run in runs:
        run.run()
        times.append({p: p.stat().st_mtime_ns for p in keep.glob("*/*.npz")})
    assert np.array_equal(averaged_weights(runs[1]), averaged_weights(runs[0]))
    assert np.array_equal(averaged_weights(runs[2]), averaged_weights(runs[0]))
    assert times[0] == {} and times[1] == times[2]
    assert len({p.parent for p in times[2]}) == 2, "before and after mining"
    assert len(times[2]) == runs[0].recipe.training.rounds

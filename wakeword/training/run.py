"""One training run from recipe to model: prepared, resumed, mined, trained, exported."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import torch

from wakeword.data.manifest import Manifest
from wakeword.data.sources import Mined, Sources
from wakeword.networks import Network, build
from wakeword.networks.speech_embedding import SpeechEmbedding
from wakeword.runtime.bundle import Bundle
from wakeword.training.checkpoint import recipe_key
from wakeword.training.commands.watch import watch_split
from wakeword.training.export import check_parity
from wakeword.training.kept import KeptPlan, heard_key
from wakeword.training.loop import Trainer
from wakeword.training.material import plan_of, prepare, read_recordings
from wakeword.training.measuring import Reporter
from wakeword.training.mining import load_mined, mine, negative_seconds, save_mined
from wakeword.training.own_words import OwnWords
from wakeword.training.packing import as_bundle, training_record
from wakeword.training.pretrained import load_pretrained
from wakeword.training.recipe import Recipe, read_recipe
from wakeword.training.recipe_file import self_contained
from wakeword.training.rounds import Rounds
from wakeword.training.shards import shards
from wakeword.training.start import blended, start_from
from wakeword.training.teachers import Teachers
from wakeword.training.windows import SceneArrays


@dataclass(frozen=True)
class RunPaths:
    """Files of one run, all below ``folder``, which git should ignore."""

    folder: Path

    @property
    def cache(self) -> Path:
        """Decoded recordings, shared by the runs beside this one."""
        return self.folder.parent / "audio-cache"

    def mined(self, after_round: int) -> Path:
        """The hard negatives found after a round."""
        return self.folder / f"mined-{after_round:05d}.json"


class TrainingRun:
    """A recipe with its recordings: ``run`` trains, ``bundle`` gives the result.

    What it hears is made anew, unless ``keep`` is a folder that keeps it for other runs.
    """

    def __init__(
        self,
        recipe_path: Path,
        folder: Path,
        workers: int,
        reporter: Reporter,
        keep: Path | None = None,
    ) -> None:
        self.recipe: Recipe = read_recipe(recipe_path)
        self.recipe_text = self_contained(recipe_path)
        self.paths = RunPaths(folder)
        self.workers = workers
        self._keep = keep
        self.reporter = reporter
        beside = recipe_path.parent
        recordings = read_recordings(self.recipe, beside, reporter)
        self.manifest: Manifest = recordings.manifest
        self.trained_on: Manifest = recordings.trained_on
        # The network first: an impossible one is refused before hours of audio are read.
        start = self.recipe.training.start
        self._first = Bundle.load(beside / start) if start else None
        self._teachers = self._load_teachers(beside)
        self.trainer = self._trainer()
        folder.mkdir(parents=True, exist_ok=True)
        self.sources: Sources = prepare(
            self.recipe, recordings.chosen(self.recipe), self.paths.cache, reporter
        )
        self.watch = watch_split(self.recipe, self.manifest, reporter)
        self.key = recipe_key(self.recipe, self.trained_on.sha256)

    def run(self) -> None:
        """Train to the end, from the last checkpoint if there is one.

        Raises
        ------
        TrainingError
            The checkpoint is of another recipe, or the loss is no longer finite.
        """
        rounds = Rounds(self.trainer, self.paths.folder, self.key, self.watch, self.reporter)
        rounds.run(self._shards)

    def bundle(self) -> Bundle:
        """The averaged network as a checked bundle: in memory, and not calibrated yet.

        Raises
        ------
        TrainingError
            Export does not agree with the network.
        """
        model, share = self.trainer.average, self.recipe.training.blend
        if self._first is not None and share > 0.0:
            model = blended(model, self._first, self.recipe.labels, share)
        bundle = self._as_bundle(model, self.recipe.detection.smoother_steps)
        difference = check_parity(self._own_words(model), bundle)
        self.reporter.note(f"torch, ONNX Runtime and streaming agree to {difference:.1g}")
        return bundle

    def _shards(self, first: int, last: int) -> Iterator[SceneArrays]:
        """Shards in order; from each mining round on, with the negatives that it found."""
        t = self.recipe.training
        borders = [0, *sorted(m for m in t.mine_after_rounds if m < t.rounds), t.rounds]
        for begin, end in pairwise(borders):
            if end <= first:
                continue
            mined = self._mined(begin)
            recipe = self._with_what_is_heard()
            plan = plan_of(recipe, replace(self.sources, mined=mined))
            if self._keep is not None:
                heard = heard_key(recipe, self.trained_on.sha256, mined)
                plan = KeptPlan(plan, self._keep / heard)
            yield from shards(plan, max(first, begin), min(last, end), self.workers)

    def _with_what_is_heard(self) -> Recipe:
        """The recipe with the front end that teachers and network hear through."""
        if self._teachers is None:
            return self.recipe
        return replace(self.recipe, frontend=self._teachers.heard)

    def _mined(self, after_round: int) -> tuple[Mined, ...]:
        """The hard negatives that the network of this round finds, or found before a resume."""
        if after_round == 0:
            return ()
        path = self.paths.mined(after_round)
        if not path.exists():
            advance = self.reporter.stage("mining", negative_seconds(self.sources))
            found = mine(
                self._as_bundle(self.trainer.average, 1),
                self.sources,
                self.recipe.training.mine_most,
                advance,
            )
            self.reporter.note(f"mined {len(found)} hard negatives after round {after_round}")
            save_mined(path, found)
        return load_mined(path)

    def _trainer(self) -> Trainer:
        r = self.recipe
        torch.manual_seed(r.training.seed)
        # Threads that wait for each other lose more to a busy core than they gain.
        torch.set_num_threads(max(1, (os.cpu_count() or 1) - self.workers))
        model = build(
            r.network.family,
            r.network.parameters,
            r.windows.frames,
            r.frontend.channels,
            len(r.labels),
        )
        if self._first is not None:
            start_from(model, self._first, r.labels)
            self.reporter.note(f"starting from {self._first.name} {self._first.metadata.version}")
        elif isinstance(model, SpeechEmbedding):
            load_pretrained(model.embedding, r.frontend)
            self.reporter.note("starting with the published weights of the speech embedding")
        return Trainer(model, r.training, r.cut, self._teachers)

    def _load_teachers(self, beside: Path) -> Teachers | None:
        r, paths = self.recipe, self.recipe.training.teachers
        if not paths:
            return None
        bundles = [Bundle.load(beside / path) for path in paths]
        for b in bundles:
            self.reporter.note(f"taught by {b.name} {b.metadata.version}, {b.sha256[:12]}")
        return Teachers(bundles, r.labels, r.windows.frames, r.frontend)

    def _own_words(self, model: Network) -> Network:
        """The network as the bundle has it: words learnt beside its own are background."""
        words = len(self.recipe.bundle.words)
        return OwnWords(model, words) if len(self.recipe.labels) > 1 + words else model

    def _as_bundle(self, model: Network, smoother_steps: int) -> Bundle:
        record = training_record(self.recipe, self.sources.corpus.recordings, self.trained_on)
        own = self._own_words(model)
        return as_bundle(own, self.recipe, record, self.paths.folder, smoother_steps)

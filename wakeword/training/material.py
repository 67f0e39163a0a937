"""What a recipe trains on: recordings decoded and sorted, and the shards made of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from wakeword.alignment.ctc import make_aligner
from wakeword.data.commands.clips import collect_commands
from wakeword.data.corpus import Corpus, load_corpus
from wakeword.data.manifest import Manifest, Recording, join_manifests, read_manifest
from wakeword.data.rooms import simulate_rooms
from wakeword.data.sources import Kinds, Sources, collect
from wakeword.errors import RecipeError
from wakeword.training.commands.plan import CommandPlan
from wakeword.training.measuring import Reporter
from wakeword.training.recipe import Recipe
from wakeword.training.records import check_licences
from wakeword.training.shards import Plan, ShardPlan


@dataclass(frozen=True)
class Recordings:
    """What a recipe measures on (``manifest``), and what it may train on (``trained_on``)."""

    manifest: Manifest
    trained_on: Manifest

    def chosen(self, recipe: Recipe) -> tuple[Recording, ...]:
        """The recordings that ``recipe`` trains on.

        Raises
        ------
        RecipeError
            It leaves out a recording that there is not.
        """
        d = recipe.data
        wanted = self.trained_on.where(
            lambda r: r.split == "train" and r.corpus not in d.exclude_corpora
        )
        for pattern in d.exclude_recordings:
            if not any(r.path.match(pattern) for r in self.trained_on):
                raise RecipeError(
                    f"data.exclude_recordings: '{pattern}' is no recording of the manifest"
                )
        return tuple(r for r in wanted if not any(map(r.path.match, d.exclude_recordings)))


def read_recordings(recipe: Recipe, beside: Path, reporter: Reporter) -> Recordings:
    """Read the manifests of a recipe that lies in the folder ``beside``.

    Raises
    ------
    ManifestError
        One cannot be used.
    RecipeError
        A corpus that is trained on has no licence.
    """
    manifest = read_manifest(beside / recipe.data.manifest)
    more = [read_manifest(beside / path) for path in recipe.data.more_manifests]
    joined = join_manifests(manifest, more)
    for warning in joined.warnings:
        reporter.note(f"manifest {warning}")
    used = {r.corpus for r in joined if r.split == "train"} - set(recipe.data.exclude_corpora)
    check_licences(used, recipe.data.licences)
    return Recordings(manifest, joined)


def prepare(
    recipe: Recipe, chosen: Sequence[Recording], cache: Path, reporter: Reporter
) -> Sources:
    """Decode the recordings, and find in them what the recipe trains on.

    For words: align them, simulate rooms. For a command set a recording is a clip as it is.

    Raises
    ------
    AudioError
        A recording cannot be read.
    ManifestError
        A word has no recording, or something else that is needed has none.
    """
    corpus = _decoded(recipe, chosen, cache, reporter)
    d, words = recipe.data, recipe.bundle.words
    kinds = Kinds(
        frozenset(d.noise_corpora), frozenset(d.music_corpora), frozenset(d.synthetic_corpora)
    )
    if recipe.commands is not None:
        return collect_commands(corpus, words, recipe.commands, kinds)
    rooms = []
    if d.rooms:
        advance = reporter.stage("simulating rooms", d.rooms, "rooms")
        rooms = simulate_rooms(
            d.rooms, recipe.training.seed, sample_rate=corpus.sample_rate, progress=advance
        )
    return collect(corpus, words, kinds, rooms, make_aligner(d.alignment), d.also_words)


def plan_of(recipe: Recipe, sources: Sources) -> Plan:
    """How shards are made from ``sources``."""
    r, t = recipe, recipe.training
    if r.commands is not None:
        return CommandPlan(
            sources, r.commands, r.features, r.frontend, t.seed, t.scenes_per_round
        )
    return ShardPlan(sources, r.scenes, r.features, r.frontend, t.seed, t.scenes_per_round)


def _decoded(
    recipe: Recipe, chosen: Sequence[Recording], cache: Path, reporter: Reporter
) -> Corpus:
    advance = reporter.stage("reading recordings", len(chosen), "files")
    return load_corpus(chosen, recipe.frontend.sample_rate, cache, advance)

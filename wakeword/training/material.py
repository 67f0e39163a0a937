"""What a recipe trains on: recordings decoded and sorted, and the shards made of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from wakeword.alignment.ctc import make_aligner
from wakeword.data.commands.clips import collect_commands
from wakeword.data.corpus import Corpus, load_corpus
from wakeword.data.manifest import Recording
from wakeword.data.rooms import simulate_rooms
from wakeword.data.sources import Kinds, Sources, collect
from wakeword.training.commands.plan import CommandPlan
from wakeword.training.measuring import Reporter
from wakeword.training.recipe import Recipe
from wakeword.training.shards import Plan, ShardPlan


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

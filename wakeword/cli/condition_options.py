"""Under what conditions ``evaluate`` has clips heard: in noise, babble, on the line, in rooms."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from wakeword.cli.options import Command, note
from wakeword.cli.trial_options import Stages
from wakeword.errors import MissingExtraError
from wakeword.evaluation.measurement import DEFAULT_SNRS_DB

if TYPE_CHECKING:
    from wakeword.evaluation.conditions import Condition, Kind
    from wakeword.training.trials import Trials

DISTANCES_M = (0.5, 1.0, 2.0, 3.0, 4.5)


@dataclass(frozen=True)
class ConditionOptions:
    """Which conditions are wanted; distances that nobody named come with a report only."""

    snrs_db: tuple[float, ...]
    noise: bool
    babble: bool
    telephone: bool
    distances_m: tuple[float, ...]
    rooms: bool

    def make(self, trials: Trials, reported: bool) -> list[Condition]:
        """The conditions that the recordings allow; says on stderr what they lack."""
        asked: dict[Kind, bool] = {
            "telephone": self.telephone, "noise": self.noise, "babble": self.babble,
        }  # fmt: skip
        kinds = [kind for kind, wanted in asked.items() if wanted]
        for kind in kinds:
            lack = trials.lacks(kind)
            if lack is not None:
                note(f"no clips in {kind}: {lack}")
        distances = self.distances_m or (DISTANCES_M if reported else ())
        if self.rooms and distances:
            self._simulate(trials, distances)
        return trials.conditions(self.snrs_db, kinds)

    def _simulate(self, trials: Trials, distances_m: Sequence[float]) -> None:
        """Make the rooms; without pyroomacoustics a report that nobody asked them for goes on."""
        try:
            with Stages() as stage:
                advance = stage("simulating rooms", trials.config.rooms, "rooms")
                trials.simulate_rooms(distances_m, advance)
        except MissingExtraError as why:
            if self.distances_m:
                raise
            note(f"no clips at a distance: {why}")


def condition_options(command: Command) -> Command:
    """Add the options; the command gets them as one keyword argument ``clips``."""

    @functools.wraps(command)
    def with_conditions(
        *arguments: Any,
        snr: tuple[float, ...],
        noise: bool,
        babble: bool,
        telephone: bool,
        distance: tuple[float, ...],
        rooms: bool,
        **others: Any,
    ) -> Any:
        options = ConditionOptions(snr, noise, babble, telephone, distance, rooms)
        return command(*arguments, clips=options, **others)

    for option in (
        click.option("--rooms/--no-rooms", default=True,
                     help="Clips at a distance. [default: with --distance or --report]"),
        click.option("--distance", type=float, multiple=True, metavar="M",
                     help="Clips heard from so many metres away in simulated rooms; repeatable. "
                          "[default with --report: " + ", ".join(f"{m:g}" for m in DISTANCES_M)
                          + "]"),
        click.option("--telephone", is_flag=True,
                     help="Also clips over a simulated telephone line, at the level of each call."),
        click.option("--babble/--no-babble", default=True,
                     help="Clips in babble of six. [default: yes]"),
        click.option("--noise/--no-noise", default=True, help="Clips in noise. [default: yes]"),
        click.option("--snr", type=float, multiple=True, default=DEFAULT_SNRS_DB,
                     show_default=True, metavar="DB", help="Mix clips at this SNR; repeatable."),
    ):  # fmt: skip
        with_conditions = option(with_conditions)
    return with_conditions

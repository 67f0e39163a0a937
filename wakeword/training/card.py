"""The model card: what a bundle hears, was made from, was measured to do, and is not good at."""

from __future__ import annotations

from wakeword.evaluation.documents import (
    OPERATING_POINTS,
    operating_points_section,
    replace_section,
)
from wakeword.evaluation.measurement import Evaluation
from wakeword.evaluation.tables import corpus_table, markdown, miss_table
from wakeword.runtime import Bundle
from wakeword.training.quantised.made import quantisation_of


def model_card(bundle: Bundle, evaluation: Evaluation, split: str) -> str:
    """Markdown of the card of a calibrated ``bundle``, measured on ``split``."""
    m, words = bundle.metadata, ", ".join(f"**{w}**" for w in bundle.words)
    target = f"{evaluation.target_fa_per_hour:g}"
    about = [
        f"# {m.name} {m.version}",
        m.description,
        f"Hears {words}. Licence of the model: {m.licence}.",
        f"{_network(bundle)} of {m.model.parameters:,} parameters, "
        f"{m.model.flops_per_window / 1e6:.1f} million floating point operations a window, "
        f"{m.model.bytes / 1e6:.2f} MB. A window of {m.window_frames} frames of "
        f"{m.frontend.channels} {m.frontend.kind.upper()} channels is scored every "
        f"{1000 * m.step_samples / m.frontend.sample_rate:.0f} ms; "
        f"{m.smoother.steps} scores are averaged.",
        _quantised(bundle),
    ]
    measured = [
        "## Measured",
        f"On the {split} split: speakers and recordings that were not trained on, but from the "
        "same campaigns. SNR is the level of the word's loudest 0.3 s against the noise; babble "
        "is six talkers. In brackets: 95 % interval.",
        f"Missed at {target} false alarms per hour and word, threshold chosen on these recordings:",
        str(miss_table(evaluation, "chosen")),
        f"False alarms of all {len(bundle.words)} words together at the shipped thresholds:",
        str(corpus_table(evaluation, "shipped")),
    ]
    document = (
        "\n\n".join(part for part in (*about, *_data(bundle), *measured) if part) + "\n"
    )
    points = operating_points_section(m.operating_points)
    document = replace_section(document, OPERATING_POINTS, points)
    return document + "\n" + "\n\n".join(_limits(bundle)) + "\n"


def _network(bundle: Bundle) -> str:
    """What kind of network it is, as the beginning of a sentence."""
    network = bundle.metadata.training.recipe["network"]
    members = network["parameters"].get("members")
    asked = network["parameters"].get("asked", ())
    if asked:
        return (
            f"Mean of {len(members)} networks, {len(asked)} of which "
            f"{'is' if len(asked) == 1 else 'are'} heard only where the others give some word a "
            f"posterior of {network['parameters']['asked_from']:g}, together"
        )
    if members:
        return f"Mean of {len(members)} networks, together"
    return str(network["family"]).upper()


def _quantised(bundle: Bundle) -> str:
    """What is in 8 bits, and what it was made of; empty for a float network."""
    made = quantisation_of(bundle)
    if made is None:
        return ""
    of, on = made["of"], made["calibrated_on"]
    parameters = bundle.metadata.model.parameters
    left = ", ".join(f"{count} {name}" for name, count in made["operators_in_float"].items())
    tuned = made.get("finetuned")
    trained = f" Weights were trained with rounding, {tuned['rounds']} rounds." if tuned else ""
    return (
        f"Weights and activations are 8-bit integers, made of {of['name']} {of['version']} "
        f"(`{of['sha256'][:12]}`); their ranges are from {on['windows']} windows of training "
        f"audio.{trained} In float: {left or 'no operator'}, "
        f"{100 * made['parameters_in_float'] / max(1, parameters):.0f} % of the parameters."
    )


def _data(bundle: Bundle) -> list[str]:
    training = bundle.metadata.training
    rows = [
        [d.corpus, str(d.clips), f"{d.hours:.2f}", str(d.speakers or "unknown"), d.licence]
        for d in training.data
    ]
    libraries = ", ".join(f"{name} {version}" for name, version in training.libraries.items())
    return [
        "## Trained on",
        markdown(["corpus", "clips", "hours", "speakers", "licence"], rows),
        f"Seed {training.seed}; manifest sha256 `{training.data_sha256}`; {libraries}. "
        f"{_recipe(bundle)}",
        "\n".join(f"- {sentence}" for sentence in training.recipe["bundle"]["attribution"]),
    ]


def _recipe(bundle: Bundle) -> str:
    members = bundle.metadata.training.recipe["network"]["parameters"].get("members", ())
    if not members:
        return "The recipe is beside this card."
    named = ", ".join(f"{m['name']} {m['version']} (`{m['sha256'][:12]}`)" for m in members)
    return f"Made of {named}, whose recipes are in metadata.json."


def _limits(bundle: Bundle) -> list[str]:
    limits = bundle.metadata.training.recipe["bundle"]["not_good_at"]
    return ["## What it is not good at", "\n".join(f"- {x}" for x in limits)] if limits else []

"""One training run of an aligner: resumed, trained with CTC, exported, checked."""

from __future__ import annotations

import hashlib
import importlib.metadata
import math
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from wakeword.alignment.model import AlignerMetadata, LetterModel, save_letter_model
from wakeword.data.manifest import read_manifest
from wakeword.errors import RecipeError, TrainingError
from wakeword.networks import parameter_count
from wakeword.networks.letters import Letters, LettersConfig
from wakeword.runtime.sections import TrainingRecord
from wakeword.tables import from_table
from wakeword.training.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from wakeword.training.export import TOLERANCE, export_onnx
from wakeword.training.letters.recipe import read_letters_recipe
from wakeword.training.letters.speech import Batch, BatchMaker, choose_speech, load_speech
from wakeword.training.measuring import Reporter
from wakeword.training.records import data_sources
from wakeword.training.run import RunPaths

LIBRARIES = ("torch", "numpy", "scipy", "soxr", "onnx", "onnxruntime")
WARM_UP_STEPS = 200


class LettersRun:
    """A recipe with its recordings: ``run`` trains, ``save`` writes the aligner."""

    def __init__(
        self, recipe_path: Path, folder: Path, reporter: Reporter, threads: int = 1
    ) -> None:
        self.recipe = read_letters_recipe(recipe_path)
        self.recipe_text = recipe_path.read_text(encoding="utf-8")
        self.reporter = reporter
        self.paths = RunPaths(folder)
        network = from_table(LettersConfig, self.recipe.network, "network", RecipeError)
        self.manifest = read_manifest(recipe_path.parent / self.recipe.data.manifest)
        for warning in self.manifest.warnings:
            reporter.note(f"manifest {warning}")
        folder.mkdir(parents=True, exist_ok=True)
        chosen = choose_speech(self.recipe, self.manifest)
        advance = reporter.stage("reading recordings", len(chosen), "files")
        self.speech = load_speech(chosen, self.recipe, self.paths.cache, advance)
        torch.set_num_threads(threads)
        torch.manual_seed(self.recipe.training.seed)
        self.stride = network.stride
        self.model = Letters(network, self.recipe.frontend.channels, 1 + len(self.speech.letters))
        self.optimizer = torch.optim.AdamW(
            self.model.parameters(), weight_decay=self.recipe.training.weight_decay
        )
        self.key = self.recipe.key(self.manifest.sha256)
        self.epoch, self.log = 0, list[dict[str, float]]()

    def run(self) -> None:
        """Train to the end, from the last checkpoint if there is one.

        Raises
        ------
        TrainingError
            The checkpoint is of another recipe, or the loss is no longer finite.
        """
        if self.resume():
            self.reporter.note(f"resuming after epoch {self.epoch}")
        maker, epochs = BatchMaker(self.speech, self.recipe), self.recipe.training.epochs
        while self.epoch < epochs:
            loss = self._train(maker)
            if not math.isfinite(loss):
                raise TrainingError(
                    f"loss is {loss} in epoch {self.epoch + 1}; the checkpoint before is kept. "
                    f"Try a lower learning_rate"
                )
            self.epoch += 1
            self.log.append({"epoch": self.epoch, "loss": loss})
            save_checkpoint(self.paths.folder, self._checkpoint(), self.key)
            self.reporter.note(f"epoch {self.epoch}/{epochs}: loss {loss:.3f} a character")

    def resume(self) -> bool:
        """Take the last checkpoint, if there is one.

        Raises
        ------
        TrainingError
            It is damaged, or of another recipe or other recordings.
        """
        stored = load_checkpoint(self.paths.folder, self.key)
        if stored is None:
            return False
        self.model.load_state_dict(stored.model)
        self.optimizer.load_state_dict(stored.optimizer)
        self.epoch, self.log = stored.round, list(stored.log)
        return True

    def save(self, out: Path) -> LetterModel:
        """Export the network, check it against torch, write the aligner's folder.

        Raises
        ------
        TrainingError
            Export does not agree with the network.
        """
        self.model.eval()
        frames = 4 * self.stride
        onnx = export_onnx(self.model, frames, self.recipe.frontend.channels, any_length=True)
        model = LetterModel(self._metadata(hashlib.sha256(onnx).hexdigest()), onnx)
        self._check_parity(model)
        save_letter_model(out, model, self.recipe_text)
        return model

    def _train(self, maker: BatchMaker) -> float:
        """One epoch; the mean loss of a character."""
        t = self.recipe.training
        torch.manual_seed(t.seed + self.epoch)
        self.model.train()
        count, batches = maker.epoch(self.epoch)
        advance = self.reporter.stage(f"epoch {self.epoch + 1}", count, "batches")
        losses, characters = 0.0, 0
        for step, batch in enumerate(batches):
            share = (self.epoch + step / count) / t.epochs
            warm = min(1.0, (step + 1) / min(WARM_UP_STEPS, count)) if self.epoch == 0 else 1.0
            rate = t.learning_rate * warm * 0.5 * (1.0 + math.cos(math.pi * share))
            losses += self._step(batch, max(rate, 1e-5))
            characters += sum(map(len, batch.labels))
            advance(1)
        return losses / characters

    def _step(self, batch: Batch, rate: float) -> float:
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        logits = self.model(torch.from_numpy(batch.features))
        targets = torch.tensor([label for labels in batch.labels for label in labels])
        loss = functional.ctc_loss(
            logits.log_softmax(2).transpose(0, 1),
            targets,
            torch.from_numpy(-(-batch.frames // self.stride)),
            torch.tensor([len(labels) for labels in batch.labels]),
            reduction="sum",
            zero_infinity=True,  # a text that does not fit into its recording teaches nothing
        )
        self.optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(loss / len(targets))
        nn.utils.clip_grad_norm_(self.model.parameters(), 5.0)
        self.optimizer.step()
        return float(loss.detach())

    def _checkpoint(self) -> Checkpoint:
        return Checkpoint(
            self.epoch, self.model.state_dict(), {}, self.optimizer.state_dict(), self.log
        )

    def _check_parity(self, model: LetterModel) -> None:
        rng = np.random.default_rng(0)
        c = self.recipe.frontend
        for seconds in (0.5, 3.0):
            samples = (0.1 * rng.standard_normal(round(seconds * c.sample_rate))).astype(np.float32)
            features = torch.from_numpy(model.features(samples))
            with torch.no_grad():
                expected = torch.softmax(self.model(features), 2).numpy()[0]
            difference = float(np.abs(model.posteriors(samples) - expected).max())
            if not difference <= TOLERANCE:
                raise TrainingError(
                    f"export refused: ONNX Runtime differs from torch by {difference:.2g}, but at "
                    f"most {TOLERANCE:g} is rounding"
                )

    def _metadata(self, sha256: str) -> AlignerMetadata:
        r = self.recipe
        libraries = {name: importlib.metadata.version(name) for name in LIBRARIES}
        data = data_sources(self.speech.corpus.recordings, r.data.licences)
        return AlignerMetadata(
            name=r.name,
            description=r.description,
            licence=r.licence,
            letters=self.speech.letters,
            frames_per_step=self.stride,
            parameters=parameter_count(self.model),
            epochs=self.epoch,
            sha256=sha256,
            frontend=r.frontend,
            training=TrainingRecord(
                asdict(r), r.training.seed, data, self.manifest.sha256, libraries
            ),
            placing=r.placing,
        )

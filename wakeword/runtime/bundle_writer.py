"""Writing a bundle as one step: the folder is the old one or the new one, never a mixture."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from wakeword.errors import BundleError
from wakeword.files import atomic_write, fresh_folder, refuse_foreign, write_json
from wakeword.runtime.bundle import (
    CARD_FILE,
    METADATA_FILE,
    MODEL_FILE,
    RECIPE_FILE,
    Bundle,
    describe_model,
)
from wakeword.runtime.metadata import BundleMetadata

FIGURES_FOLDER = "figures"
_OURS = {METADATA_FILE, MODEL_FILE, CARD_FILE, RECIPE_FILE, FIGURES_FOLDER}


def write_bundle(
    folder: str | Path,
    onnx_bytes: bytes,
    metadata: BundleMetadata,
    card: str,
    recipe_text: str | None = None,
    figures: Mapping[str, bytes] | None = None,
) -> Bundle:
    """Write a complete bundle and return it as :meth:`Bundle.load` reads it.

    All files go to a new folder beside ``folder``, are read back and checked, and take its
    place by renaming. A bundle that was there before survives any failure unchanged.

    Parameters
    ----------
    metadata
        ``model.sha256`` and ``model.bytes`` are filled in from ``onnx_bytes``.
    figures
        Pictures for the card by file name, put into ``figures/``.

    Raises
    ------
    BundleError
        ``folder`` exists and holds anything that is not part of a bundle, or what was
        written does not load.
    OSError
        As from any writing, a full disk included.
    """
    target = Path(os.path.realpath(folder))
    ours = _OURS | {metadata.model.file}
    refuse_foreign(target, "a bundle", ours.__contains__, BundleError)
    metadata = describe_model(metadata, onnx_bytes)
    with fresh_folder(target) as fresh:
        with atomic_write(fresh / metadata.model.file, "wb") as out:
            out.write(onnx_bytes)
        write_json(fresh / METADATA_FILE, metadata.to_dict())
        _write_text(fresh / CARD_FILE, card)
        if recipe_text is not None:
            _write_text(fresh / RECIPE_FILE, recipe_text)
        _write_figures(fresh / FIGURES_FOLDER, figures or {})
        Bundle.load(fresh)
    return Bundle.load(target)


def write_metadata(bundle: Bundle, metadata: BundleMetadata) -> Bundle:
    """Give a bundle other metadata, for example new operating points; its network stays.

    Raises
    ------
    BundleError
        ``metadata`` describe another network.
    OSError
        As from any writing; the old metadata are still there.
    """
    if metadata.model != bundle.metadata.model:
        raise BundleError(f"these metadata do not describe the network of bundle {bundle.path}")
    write_json(bundle.path / METADATA_FILE, metadata.to_dict())
    return Bundle.load(bundle.path)


def _write_text(path: Path, text: str) -> None:
    with atomic_write(path) as out:
        out.write(text)


def _write_figures(folder: Path, figures: Mapping[str, bytes]) -> None:
    if not figures:
        return
    folder.mkdir()
    for name, data in figures.items():
        if Path(name).name != name:
            raise BundleError(f"figure name {name!r} must be a file name without a folder")
        with atomic_write(folder / name, "wb") as out:
            out.write(data)

"""Write this machine's pip configuration as the build secrets of the Dockerfile.

    python3 tools/pip_secret.py FOLDER

FOLDER gets ``pip.conf``, and ``ca.pem`` (empty where pip has no certificates of its own). Folders
of packages that the configuration names are printed, one a line: a build that can mount folders
needs them. Nothing of it is ever committed, nor in a layer of the image.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from configparser import RawConfigParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

CA_IN_BUILD = "/run/secrets/ca"
INDEXES = ("index-url", "extra-index-url")


def parse(listing: str) -> dict[str, str]:
    """Options in what ``pip config list`` prints; the environment's go first, as in pip."""
    options: dict[str, str] = {}
    from_environment: dict[str, str] = {}
    for line in listing.splitlines():
        name, equals, value = line.partition("=")
        section, _, option = name.rpartition(".")
        if equals and section in ("global", "install", ":env:"):
            chosen = from_environment if section == ":env:" else options
            chosen[option] = str(ast.literal_eval(value))
    return options | from_environment


def folders(options: dict[str, str]) -> Iterator[Path]:
    """Folders of this machine that the options name as places of packages."""
    for option in (*INDEXES, "find-links"):
        for place in options.get(option, "").split():
            if not place.startswith(("/", "file:")):
                continue
            folder = Path(unquote(urlsplit(place).path))
            # The pages of an index link to files that mostly lie beside it: ../files/...
            yield folder.parent if option in INDEXES else folder


def write(options: dict[str, str], folder: Path) -> None:
    """Write the two secrets."""
    options = dict(options)
    certificates = options.pop("cert", None)
    if certificates:
        options["cert"] = CA_IN_BUILD
    (folder / "ca.pem").write_bytes(Path(certificates).read_bytes() if certificates else b"")
    config = RawConfigParser()
    config["global"] = options
    with open(folder / "pip.conf", "w", encoding="utf-8") as out:
        config.write(out)


def main(arguments: list[str]) -> int:
    """Write the secrets into the folder, print the folders that they name."""
    if len(arguments) != 1 or not Path(arguments[0]).is_dir():
        print(__doc__, file=sys.stderr)
        return 2
    command = [sys.executable, "-m", "pip", "config", "list"]
    options = parse(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    write(options, Path(arguments[0]))
    for folder in dict.fromkeys(folders(options)):
        print(folder)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

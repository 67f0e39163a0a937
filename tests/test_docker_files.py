"""The files around the image agree with each other, with the settings and with the metrics.

Whether the image builds and hears a word is what tools/check_image.sh shows; here is what can be
known in a second, at every change.
"""

from __future__ import annotations

import json
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from inprocess import run
from prometheus_client.metrics import MetricWrapperBase
from wakeword_service.metrics import Metrics
from wakeword_service.routes import health
from wakeword_service.settings import ENVIRONMENT_PREFIX, Settings

from tools import pip_secret

ROOT = Path(__file__).resolve().parent.parent
SERVICE = ROOT / "service"
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load((SERVICE / "compose.yaml").read_text("utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
DASHBOARD = json.loads((SERVICE / "grafana/dashboards/wakeword.json").read_text("utf-8"))


def final_stage() -> str:
    return DOCKERFILE[DOCKERFILE.rindex("\nFROM ") :]


def instruction(name: str, text: str) -> list[str]:
    """Arguments of every ``name`` in ``text``, continued lines joined."""
    return re.findall(rf"^{name} (.*)$", text.replace("\\\n", " "), re.MULTILINE)


def image_environment() -> dict[str, str]:
    pairs = (pair.split("=", 1) for line in instruction("ENV", final_stage())
             for pair in line.split())  # fmt: skip
    return {name: value for name, value in pairs}


def test_the_base_is_pinned_by_tag_and_both_stages_use_it():
    (base,) = instruction("ARG", DOCKERFILE[: DOCKERFILE.index("\nFROM ")])
    assert re.fullmatch(r"PYTHON_IMAGE=python:\d+\.\d+-slim-[a-z]+", base)
    assert {line.split()[0] for line in instruction("FROM", DOCKERFILE)} == {"${PYTHON_IMAGE}"}


def test_every_installation_is_held_to_hashes_or_takes_nothing_from_outside():
    installs = re.findall(r"bin/pip .*?(?=&&|\n[A-Z]|$)", DOCKERFILE.replace("\\\n", " "), re.S)
    assert len(installs) == 4
    for command in installs:
        assert "--require-hashes" in command or "--no-index" in command, command
    assert "pip" not in re.sub(r"#.*", "", final_stage())


def test_no_address_is_in_any_of_these_files():
    for path in (ROOT / "Dockerfile", ROOT / ".dockerignore", *SERVICE.glob("*.y*ml")):
        for host in re.findall(r"https?://([^/:\s\"]+)", path.read_text("utf-8")):
            assert host in SERVICES, (path, host)


def test_the_image_runs_as_a_numbered_user_who_owns_the_state_only():
    (user,) = instruction("USER", final_stage())
    assert re.fullmatch(r"[1-9]\d{3,}:[1-9]\d{3,}", user)
    (volume,) = instruction("VOLUME", final_stage())
    assert image_environment()["WAKEWORD_SERVICE_STATE_DIR"] == volume
    assert f"install -d -o wakeword -g wakeword -m 0700 {volume}" in final_stage()
    assert SERVICES["wakeword"]["volumes"] == [f"state:{volume}"]


def test_the_environment_of_the_image_is_settings():
    ours = {k.removeprefix(ENVIRONMENT_PREFIX).lower(): v for k, v in image_environment().items()
            if k.startswith(ENVIRONMENT_PREFIX)}  # fmt: skip
    settings = Settings(**ours)
    assert not settings.is_loopback and settings.port == Settings().port
    assert instruction("EXPOSE", final_stage()) == [str(settings.port)]
    assert not settings.insecure_allow_anyone


def test_the_health_check_is_a_module_of_ours():
    (check,) = instruction("HEALTHCHECK", final_stage())
    command = json.loads(check[check.index("CMD") + 3 :])
    assert command == ["python3", "-m", "wakeword_service.health"]


def test_the_build_sees_what_the_wheel_is_made_of_and_nothing_else():
    lines = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    shown = {rule[1:] for rule in rules if rule.startswith("!")}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    wheel = set(project["tool"]["hatch"]["build"]["targets"]["wheel"]["only-include"])
    needed = wheel | {"pyproject.toml", "README.md", *project["project"]["license-files"]}
    assert shown == needed | {"requirements/build.txt", "requirements/service.txt"}
    assert all((ROOT / path).exists() for path in shown)


@pytest.mark.parametrize("name", SERVICES)
def test_every_container_is_confined(name):
    service = SERVICES[name]
    assert service["read_only"] is True and service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "/tmp" in service["tmpfs"] and "privileged" not in service
    for port in service["ports"]:
        assert re.match(r"(127\.0\.0\.1|\$\{WAKEWORD_BIND:-127\.0\.0\.1\}):", port)
    if "build" not in service:
        assert re.fullmatch(r"[a-z]+/[a-z]+:v?\d+\.\d+\.\d+", service["image"])


def test_everything_that_is_mounted_is_there():
    volumes = [volume for service in SERVICES.values() for volume in service["volumes"]]
    named = {source for source, *_ in (volume.split(":") for volume in volumes)}
    assert {source for source in named if not source.startswith(".")} == set(COMPOSE["volumes"])
    for source in named:
        assert not source.startswith(".") or (SERVICE / source).exists(), source
    secrets = {secret for service in SERVICES.values() for secret in service.get("secrets", ())}
    assert secrets == set(COMPOSE["secrets"])
    key = COMPOSE["secrets"]["prometheus_key"]["file"]
    ignored = ["git", "check-ignore", "-q", "--no-index", str(SERVICE / key)]
    if (ROOT / ".git").exists():
        assert subprocess.run(ignored, cwd=ROOT).returncode == 0, "a key would be committed"


def test_streams_may_end_before_their_container_is_killed():
    grace = re.fullmatch(r"(\d+)s", SERVICES["wakeword"]["stop_grace_period"])
    assert grace and int(grace[1]) > Settings().shutdown_s + 5


def test_prometheus_asks_the_service_with_the_key_it_is_given():
    config = yaml.safe_load((SERVICE / "prometheus.yml").read_text("utf-8"))
    (job,) = config["scrape_configs"]
    assert job["metrics_path"] in {route.path for route in health.router.routes}
    assert job["static_configs"] == [{"targets": [f"wakeword:{Settings().port}"]}]
    name = Path(job["authorization"]["credentials_file"]).name
    assert name in SERVICES["prometheus"]["secrets"]
    assert SERVICES["prometheus"]["depends_on"]["wakeword"]["condition"] == "service_healthy"


def test_the_first_commands_of_compose_make_the_keys(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv(f"{ENVIRONMENT_PREFIX}STATE_DIR", str(tmp_path))
    text = (SERVICE / "compose.yaml").read_text("utf-8").replace("\\\n#", " ")
    commands = re.findall(r"(\w+) +(keys add [^>\n]*?) *(?:> *(\S+))?$", text, re.MULTILINE)
    assert {name for name, _, _ in commands} == {"wakeword"} and len(commands) == 2
    for _, command, _ in commands:
        done = run(capsys, *command.split())
        assert done.code == 0 and re.fullmatch(r"ww_\w+\n", done.out)
    written = [SERVICE.parent / file for _, _, file in commands if file]
    assert written == [SERVICE / COMPOSE["secrets"]["prometheus_key"]["file"]]
    assert image_entry_point() == ["wakeword"]


def image_entry_point() -> list[str]:
    (entry,) = instruction("ENTRYPOINT", final_stage())
    command: list[str] = json.loads(entry)
    return command


def test_grafana_finds_prometheus_and_the_dashboard():
    folder = SERVICE / "grafana/provisioning"
    (source,) = yaml.safe_load((folder / "datasources/prometheus.yaml").read_text())["datasources"]
    assert source["url"] == "http://prometheus:9090" and "prometheus" in SERVICES
    assert all(panel["datasource"]["uid"] == source["uid"] for panel in DASHBOARD["panels"])
    (provider,) = yaml.safe_load((folder / "dashboards/wakeword.yaml").read_text())["providers"]
    mounts = dict(volume.split(":")[:2] for volume in SERVICES["grafana"]["volumes"])
    assert mounts["./grafana/dashboards"] == provider["options"]["path"]
    home = SERVICES["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert home == f"{provider['options']['path']}/wakeword.json"


def known_series() -> dict[str, set[str]]:
    """Names of all series of the service, with their labels."""
    metrics = Metrics()
    labels = {m._name: set(m._labelnames) for m in vars(metrics).values()
              if isinstance(m, MetricWrapperBase)}  # fmt: skip
    series: dict[str, set[str]] = {}
    for family in metrics.registry.collect():
        own = labels.get(family.name, set())
        if family.type == "histogram":
            series[f"{family.name}_bucket"] = own | {"le"}
            series |= {f"{family.name}_{end}": own for end in ("sum", "count")}
        else:
            series[family.name + ("_total" if family.type == "counter" else "")] = own
    return series


TARGETS = [
    pytest.param(target, id=f"{panel['title']} {target['refId']}")
    for panel in DASHBOARD["panels"]
    for target in panel["targets"]
]


@pytest.mark.parametrize("target", TARGETS)
def test_panels_show_series_that_exist(target):
    series, expression = known_series(), target["expr"]
    used = re.findall(r"wakeword_\w+", expression)
    assert used and set(used) <= set(series), expression
    grouped = set(re.findall(r"by \((\w+)\)", expression))
    assert grouped <= set.union(*(series[name] for name in used)), expression
    assert set(re.findall(r"{{(\w+)}}", target["legendFormat"])) == grouped - {"le"}
    for name in used:  # a counter is shown by its rate, a gauge as it is
        rated = re.search(rf"(rate|increase)\({name}\[", expression)
        assert bool(rated) == name.endswith(("_total", "_bucket", "_sum", "_count")), expression
    assert expression.count("(") == expression.count(")")


def test_every_series_is_on_the_dashboard():
    shown = " ".join(target.values[0]["expr"] for target in TARGETS)
    families = {re.sub(r"_(bucket|sum|count)$", "", name) for name in known_series()}
    assert not [name for name in families if name not in shown]


def test_panels_do_not_lie_on_each_other():
    cells = [
        (x, y)
        for panel in DASHBOARD["panels"]
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]
    assert len(cells) == len(set(cells)) and max(x for x, _ in cells) < 24


def test_the_configuration_of_pip_becomes_build_secrets(tmp_path):
    certificates = tmp_path / "bundle.pem"
    certificates.write_text("certificates", "utf-8")
    options = pip_secret.parse(
        "global.index-url='https://user:secret@packages.example/simple'\n"
        "global.extra-index-url='file:///srv/more%20of/simple\\nhttps://b.example'\n"
        "global.find-links='/srv/old'\n"
        "install.find-links='/srv/wheels'\n"
        f":env:.cert='{certificates}'\n"
        "freeze.timeout='10'\n"
    )
    assert list(pip_secret.folders(options)) == [Path("/srv/more of"), Path("/srv/wheels")]
    pip_secret.write(options, tmp_path)
    config = (tmp_path / "pip.conf").read_text("utf-8")
    assert "user:secret@" in config and "cert = /run/secrets/ca" in config
    assert "freeze" not in config and str(certificates) not in config
    assert (tmp_path / "ca.pem").read_text("utf-8") == "certificates"


@pytest.mark.parametrize("script", sorted(ROOT.glob("tools/**/*.sh")), ids=lambda path: path.name)
def test_shell_scripts_parse(script):
    assert subprocess.run(["bash", "-n", str(script)]).returncode == 0

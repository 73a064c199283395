"""What deploy/ says agrees with what the programs know, and its files are what Docker, Compose and Helm take."""

import json
import re
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from services.roles import named
from services.settings import Settings
from tests.deploy import compose, tools
from tests.house.tree import ROOT

CHART: Final = ROOT / "deploy" / "helm" / "tamas"
DOCKERFILE: Final = ROOT / "deploy" / "Dockerfile"
FILLED: Final = {
    "TAMAS_PUBLIC_URL": "https://hub.example",
    "POSTGRES_PASSWORD": "a-password",
    "KAFKA_CLUSTER_ID": "AAAAAAAAAAAAAAAAAAAAAA",
}
VALUES: Final[dict[str, Any]] = {
    "publicUrl": "https://hub.example",
    "database": {"existingSecret": "databases"},
    "secretKey": {"existingSecret": "key"},
    "kafka": {"bootstrapServers": "kafka-1:9092,kafka-2:9092"},
}
EVERYTHING: Final[dict[str, Any]] = VALUES | {
    "image": {"pullSecrets": [{"name": "registry"}], "tag": "1"},
    "kafka": {
        "bootstrapServers": "kafka-1:9092",
        "securityProtocol": "SASL_SSL",
        "saslMechanism": "SCRAM-SHA-512",
        "existingSecret": "kafka",
        "caSecret": "kafka-ca",
    },
    "extraEnv": [{"name": "TAMAS_LOG_LEVEL", "value": "debug"}],
    "blobs": {"storageClass": "shared"},
    "edge": {"spool": {"storageClass": "fast"}, "service": {"annotations": {"a": "b"}}},
    "networkPolicy": {"enabled": True, "egress": [{"to": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]}]},
}


def _known() -> set[str]:
    fields = Settings.model_fields.items()
    return {str(field.validation_alias or f"TAMAS_{name.upper()}") for name, field in fields}


def _installed() -> None:
    if not tools.are_there():
        pytest.skip(tools.ABSENT)


def _mapping(listed: list[dict[str, Any]]) -> dict[str, str]:
    return {one["name"]: str(one["value"]) for one in listed}


def _port(address: str) -> int:
    return int(address.rpartition(":")[2])


def test_compose_names_variables_and_roles_that_there_are() -> None:
    for name, one in compose.ours(compose.read(FILLED)).items():
        assert set(one["environment"]) <= _known(), name
        program, *words = one["command"]
        assert program in {"run", "migrate", "topics"}, name
        if program == "run":
            named(words)


def test_compose_runs_every_role() -> None:
    run = [word for one in compose.ours(compose.read(FILLED)).values() for word in one["command"][1:]]
    roles = named([word for word in run if word != "create"])
    assert sorted(roles) == sorted({*named(["edge", "core", "views"]), "parser", "imap"})


def test_compose_is_one_whole() -> None:
    file = compose.read(FILLED)
    services = file["services"]
    for name, one in services.items():
        assert set(one.get("depends_on", {})) <= set(services), name
        assert {volume.split(":")[0] for volume in one.get("volumes", ())} <= set(file["volumes"]), name
        assert set(one.get("secrets", ())) <= set(file["secrets"]), name
    assert file["services"]["edge"]["environment"]["TAMAS_API_LISTEN"].partition(":")[0] in services


def test_composes_ports_agree() -> None:
    services = compose.read(FILLED)["services"]
    edge, views = services["edge"], services["views"]
    heard = {_port(edge["environment"][name]) for name in ("TAMAS_HTTP_LISTEN", "TAMAS_SMTP_LISTEN")}
    assert {_port(published) for published in edge["ports"]} == heard
    assert _port(edge["environment"]["TAMAS_API_LISTEN"]) == _port(views["environment"]["TAMAS_API_LISTEN"])
    asked = {
        name: re.findall(r":(\d+)/readyz", " ".join(services[name]["healthcheck"]["test"]))
        for name in ("edge", "views")
    }
    assert asked == {"edge": ["8080"], "views": ["8081"]}
    brokers = edge["environment"]["KAFKA_BOOTSTRAP_SERVERS"].split(",")
    told = [
        services[name]["environment"]["KAFKA_ADVERTISED_LISTENERS"] for name in services if name.startswith("kafka-")
    ]
    assert [f"PLAINTEXT://{broker}" for broker in brokers] == told


def test_composes_own_containers_cannot_write_or_gain_rights() -> None:
    for name, one in compose.ours(compose.read(FILLED)).items():
        assert (one["read_only"], one["tmpfs"], one["cap_drop"]) == (True, ["/tmp"], ["ALL"]), name  # noqa: S108 - theirs
        assert "TAMAS_SECRET_KEY" not in one["environment"], name


def test_what_must_be_filled_in_is_in_the_example() -> None:
    asked = set(re.findall(r"\$\{(\w+):\?", compose.PATH.read_text("utf-8")))
    given = set(re.findall(r"^(\w+)=", (compose.PATH.parent / ".env.example").read_text("utf-8"), re.MULTILINE))
    assert asked <= given
    assert asked == set(FILLED)


def test_the_image_runs_without_root() -> None:
    text = DOCKERFILE.read_text("utf-8")
    last = text.rpartition("\nFROM ")[2]
    assert re.search(r"^USER [1-9]\d*:[1-9]\d*$", last, re.MULTILINE)
    assert set(re.findall(r"\b((?:TAMAS|KAFKA|DATABASE)_\w+)=", text)) <= _known()
    assert 'ENTRYPOINT ["tamas"]' in last


def test_hadolint_has_nothing_to_say_about_the_dockerfile() -> None:
    _installed()
    tools.run("hadolint", str(DOCKERFILE))


def test_compose_is_as_its_specification_wants_it() -> None:
    _installed()
    tools.run("python", tools.__file__, "compose", given=json.dumps(compose.read(FILLED)))


@pytest.mark.parametrize("values", [VALUES, EVERYTHING], ids=["what is required", "everything"])
def test_kubernetes_takes_what_the_chart_makes(values: dict[str, Any], tmp_path: Path) -> None:
    _installed()
    made = tools.rendered(CHART, values)
    for template, text in made.items():
        documents = [one for one in yaml.safe_load_all(text) if one]
        for number, document in enumerate(documents):
            (tmp_path / f"{Path(template).stem}-{number}.yaml").write_text(yaml.safe_dump(document), "utf-8")
    written = [str(path) for path in tmp_path.iterdir()]
    assert len(written) >= 12
    for version in tools.KUBERNETES:
        tools.run("kubernetes-validate", "--strict", "--quiet", "-k", version, *written)


def test_the_chart_names_variables_roles_and_ports_that_there_are() -> None:
    _installed()
    pods = {name: spec for name, spec in _pods(EVERYTHING).items() if name != "migrate"}
    assert set(pods) == {"edge", "parser", "imap", "core", "views"}
    for name, spec in pods.items():
        (container,) = spec["containers"]
        assert container["args"] == ["run", name]
        environment = _mapping(container["env"])
        assert set(environment) <= _known(), name
        ports = {one["name"]: one["containerPort"] for one in container.get("ports", ())}
        heard = {value for listen, value in environment.items() if listen.endswith("_LISTEN")}
        assert {_port(address) for address in heard if address.startswith("0.0.0.0")} == set(ports.values())  # noqa: S104 - theirs
        probes = [container[probe]["httpGet"] for probe in ("livenessProbe", "readinessProbe") if probe in container]
        assert {(probe["path"], probe["port"]) for probe in probes} <= {
            (path, port) for path in ("/livez", "/readyz") for port in ports
        }
        assert bool(probes) == bool(ports)
    assert [one["args"] for one in _pods(VALUES)["migrate"]["initContainers"]] == [["migrate"]]


def test_the_charts_pods_cannot_write_or_gain_rights() -> None:
    _installed()
    for spec in _pods(VALUES).values():
        assert spec["securityContext"]["runAsNonRoot"]
        for container in (*spec.get("initContainers", ()), *spec["containers"]):
            limits = container["securityContext"]
            assert limits["readOnlyRootFilesystem"]
            assert not limits["allowPrivilegeEscalation"]
            assert limits["capabilities"] == {"drop": ["ALL"]}


def test_the_chart_refuses_to_be_installed_without_what_it_needs() -> None:
    _installed()
    with pytest.raises(AssertionError, match=r"publicUrl.*does not match"):
        tools.rendered(CHART, {})


def _pods(values: dict[str, Any]) -> dict[str, dict[str, Any]]:
    documents = [one for text in tools.rendered(CHART, values).values() for one in yaml.safe_load_all(text) if one]
    kinds = {"StatefulSet", "Deployment", "Job"}
    made = [one["spec"]["template"] for one in documents if one["kind"] in kinds]
    return {one["metadata"]["labels"]["app.kubernetes.io/component"]: one["spec"] for one in made}

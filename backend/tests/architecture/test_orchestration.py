"""The files for Swarm and Kubernetes use only our variables, and their containers have the same restrictions."""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import Any

import kubernetes_validate
import pytest
import yaml

from tests.architecture.source import DEPLOY
from todo_project.config import VARIABLES
from todo_project.config.examination import examine

NAMES = {variable.name for variable in VARIABLES}
SECRETS = {variable.name for variable in VARIABLES if variable.secret}
KNOWN = NAMES | {f"{name}_FILE" for name in NAMES}
# the image of PostgreSQL's own, and Compose's for where the file of values is
OTHERS = {"POSTGRES_USER", "POSTGRES_DB", "ENV_FILE"}
KUBERNETES = "1.32"

SWARM: dict[str, Any] = yaml.safe_load((DEPLOY / "swarm/stack.yml").read_text(encoding="utf-8"))
SERVICES = sorted(SWARM["services"])


def values_of(name: str) -> dict[str, str]:
    """Read a file of NAME=value lines under deploy/."""
    lines = (DEPLOY / name).read_text(encoding="utf-8").splitlines()
    pairs = (line.split("=", 1) for line in lines if line and not line.startswith("#"))
    return dict(pairs)


def errors(values: dict[str, str], *, secrets: set[str]) -> set[tuple[str | None, str]]:
    """Examine an example's values with good secrets, and give what is wrong beside the placeholders."""
    good = {
        "SECRET_KEY": "sGk4Zb1tQwV9xYpLr7Nd3HfJm5Uc8Ea2To6Ri0XkWqB-yDvC_nMzPhS",
        "POSTGRES_PASSWORD": "p7RkQm2xVt9LwZ4cNs8HbYf1",
        "METRICS_TOKEN": "m3TkQw8xVb5LrZ1cNp6HdYj2",
        "DATABASE_URL": "postgres://todo_user:p7RkQm2xVt9LwZ4cNs8HbYf1@postgres.example.org:5432/todo_db",
    }
    plain = {name: text for name, text in values.items() if not name.endswith("_FILE")}
    environ = plain | {name: good[name] for name in secrets}
    environ["SITE_URL"] = environ["SITE_URL"].replace("change-me.example", "todo.example.org")
    seen = examine(environ=environ)
    return {(problem.variable, problem.code) for problem in seen.findings if not problem.warning}


def pointed_at(variables: dict[str, Any]) -> set[str]:
    return {name.removesuffix("_FILE") for name in variables if name.endswith("_FILE")}


# --- Swarm ---


def test_swarm_names_our_variables_only() -> None:
    text = (DEPLOY / "swarm/stack.yml").read_text(encoding="utf-8")
    named = set(re.findall(r"\$\{([A-Z][A-Z0-9_]*)", text))
    for service in SWARM["services"].values():
        named |= set(service.get("environment", {}))
    assert named - KNOWN - OTHERS == set()
    assert set(values_of("swarm/prod.env.example")) - NAMES == set()


def test_swarm_has_no_secret_in_its_values() -> None:
    assert set(values_of("swarm/prod.env.example")) & SECRETS == set()
    for service in SWARM["services"].values():
        assert set(service.get("environment", {})) & SECRETS == set()


def test_swarms_example_is_a_good_configuration() -> None:
    secrets = pointed_at(SWARM["services"]["backend"]["environment"])
    assert errors(values_of("swarm/prod.env.example"), secrets=secrets) == set()


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_of_the_swarm_is_hardened_limited_and_probed(name: str) -> None:
    service = SWARM["services"][name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service.get("cap_add", []) == (["NET_BIND_SERVICE"] if name == "proxy" else [])
    assert set(service["deploy"]["resources"]["limits"]) == {"cpus", "memory", "pids"}
    assert service["healthcheck"]["test"][0] in {"CMD", "CMD-SHELL"}
    assert service["deploy"]["restart_policy"]["condition"] == "any"
    assert bool(service.get("ports")) == (name == "proxy")
    assert re.search(r":(\d+|\$\{(?:IMAGE|PROXY)_TAG:\?[^}]+\})$", service["image"]), service["image"]


def test_the_swarm_rolls_back_by_itself_and_never_runs_two_of_what_must_be_one() -> None:
    updates = {name: service["deploy"]["update_config"] for name, service in SWARM["services"].items()}
    assert updates["backend"]["order"] == "start-first"
    assert updates["worker"]["order"] == updates["db"]["order"] == "stop-first"
    for name in set(SERVICES) - {"db"}:
        assert updates[name]["failure_action"] == "rollback"
        assert updates[name]["monitor"]
    assert SWARM["services"]["db"]["deploy"]["placement"]["constraints"]


def test_the_database_of_the_swarm_has_no_way_out() -> None:
    assert SWARM["services"]["db"]["networks"] == ["database"]
    assert SWARM["networks"]["database"]["internal"] is True
    assert SWARM["networks"]["database"]["driver_opts"] == {"encrypted": "true"}


# --- Kubernetes ---

needs_kubectl = pytest.mark.skipif(not shutil.which("kubectl"), reason="needs kubectl (no cluster), which renders")


@pytest.fixture(scope="module", params=["staging", "prod"])
def rendered(request: pytest.FixtureRequest) -> list[dict[str, Any]]:
    """All objects of an overlay."""
    folder = DEPLOY / "kubernetes/overlays" / request.param
    done = subprocess.run(["kubectl", "kustomize", str(folder)], capture_output=True, text=True, check=True)
    return list(yaml.safe_load_all(done.stdout))


def of_kind(rendered: list[dict[str, Any]], kind: str) -> dict[str, dict[str, Any]]:
    return {each["metadata"]["name"]: each for each in rendered if each["kind"] == kind}


def workloads(rendered: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    migrate = of_kind(rendered, "CronJob")["migrate"]["spec"]["jobTemplate"]
    return of_kind(rendered, "Deployment") | {"migrate": migrate}


@needs_kubectl
def test_nothing_is_applied_that_a_second_release_could_not_change(rendered: list[dict[str, Any]]) -> None:
    assert of_kind(rendered, "Job") == {}
    migrate = of_kind(rendered, "CronJob")["migrate"]["spec"]
    assert migrate["suspend"] is True
    assert migrate["jobTemplate"]["spec"]["ttlSecondsAfterFinished"] > 0


def settings_of(rendered: list[dict[str, Any]]) -> dict[str, str]:
    [settings] = of_kind(rendered, "ConfigMap").values()
    return dict(settings["data"])


@needs_kubectl
def test_kubernetes_knows_every_object_and_field(rendered: list[dict[str, Any]]) -> None:
    for each in rendered:
        kubernetes_validate.validate(each, KUBERNETES, strict=True)
    secret = yaml.safe_load((DEPLOY / "kubernetes/secret.example.yaml").read_text(encoding="utf-8"))
    kubernetes_validate.validate(secret, KUBERNETES, strict=True)


@needs_kubectl
def test_kubernetes_names_our_variables_only(rendered: list[dict[str, Any]]) -> None:
    settings = settings_of(rendered)
    assert set(settings) - KNOWN == set()
    assert set(settings) & SECRETS == set()
    for workload in workloads(rendered).values():
        for container in workload["spec"]["template"]["spec"]["containers"]:
            assert {each["name"] for each in container.get("env", [])} - NAMES == set()


def placeholders_of_the_proxy() -> set[str]:
    text = (DEPLOY / "proxy/Caddyfile").read_text(encoding="utf-8")
    return set(re.findall(r"\{\$([A-Z_]+)", text))


@needs_kubectl
def test_the_proxy_of_kubernetes_judges_by_the_values_of_the_backend(rendered: list[dict[str, Any]]) -> None:
    [container] = workloads(rendered)["proxy"]["spec"]["template"]["spec"]["containers"]
    given = {each["name"] for each in container["env"]}
    # TLS, its port and HSTS are the ingress's.
    hsts = {"SECURE_HSTS_SECONDS", "SECURE_HSTS_INCLUDE_SUBDOMAINS", "SECURE_HSTS_PRELOAD"}
    assert given == placeholders_of_the_proxy() - {"HTTPS_PORT"} - hsts


@needs_kubectl
def test_the_values_of_kubernetes_are_a_good_configuration(rendered: list[dict[str, Any]]) -> None:
    settings = settings_of(rendered)
    assert errors(settings, secrets=pointed_at(settings)) == set()


@needs_kubectl
def test_the_secret_is_mounted_where_the_values_point(rendered: list[dict[str, Any]]) -> None:
    example = yaml.safe_load((DEPLOY / "kubernetes/secret.example.yaml").read_text(encoding="utf-8"))
    pointers = {text for name, text in settings_of(rendered).items() if name.endswith("_FILE")}
    assert pointers == {f"/run/secrets/todo/{key}" for key in example["stringData"]}
    assert of_kind(rendered, "Secret") == {}
    for name in ("backend", "worker", "migrate"):
        pod = workloads(rendered)[name]["spec"]["template"]["spec"]
        mounts = {mount["mountPath"]: mount for mount in pod["containers"][0]["volumeMounts"]}
        volumes = {volume["name"]: volume for volume in pod["volumes"]}
        mount = mounts["/run/secrets/todo"]
        assert mount["readOnly"] is True
        assert volumes[mount["name"]]["secret"]["secretName"] == example["metadata"]["name"]


@needs_kubectl
def test_every_pod_is_without_privileges(rendered: list[dict[str, Any]]) -> None:
    for name, workload in workloads(rendered).items():
        pod = workload["spec"]["template"]["spec"]
        assert pod["automountServiceAccountToken"] is False
        assert pod["enableServiceLinks"] is False
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["runAsUser"] == 10001
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert not {"hostNetwork", "hostPID", "hostIPC"} & set(pod)
        for container in (*pod["containers"], *pod.get("initContainers", [])):
            _check_container(container, is_proxy=name == "proxy", is_job=name == "migrate")


def _check_container(container: dict[str, Any], *, is_proxy: bool, is_job: bool) -> None:
    context = container["securityContext"]
    assert context["allowPrivilegeEscalation"] is False
    assert context["readOnlyRootFilesystem"] is True
    assert context["capabilities"]["drop"] == ["ALL"]
    assert context["capabilities"].get("add", []) == (["NET_BIND_SERVICE"] if is_proxy else [])
    assert set(container["resources"]["limits"]) == {"cpu", "memory"}
    assert set(container["resources"]["requests"]) == {"cpu", "memory"}
    assert re.search(r"[^/]:\d[\w.-]*$|@sha256:", container["image"]), container["image"]
    assert is_job or {"startupProbe", "readinessProbe", "livenessProbe"} <= set(container)


@needs_kubectl
def test_the_proxy_may_listen_on_its_port_without_a_privilege(rendered: list[dict[str, Any]]) -> None:
    pod = workloads(rendered)["proxy"]["spec"]["template"]["spec"]
    [port] = pod["containers"][0]["ports"]
    allowed = {each["name"]: int(each["value"]) for each in pod["securityContext"]["sysctls"]}
    assert allowed["net.ipv4.ip_unprivileged_port_start"] <= port["containerPort"]


@needs_kubectl
def test_requests_are_drained_before_a_pod_goes(rendered: list[dict[str, Any]]) -> None:
    for name in ("backend", "proxy"):
        pod = of_kind(rendered, "Deployment")[name]["spec"]["template"]["spec"]
        [_, pause] = pod["containers"][0]["lifecycle"]["preStop"]["exec"]["command"]
        assert pod["terminationGracePeriodSeconds"] > int(pause) + 25  # GUNICORN_GRACEFUL_TIMEOUT
        strategy = of_kind(rendered, "Deployment")[name]["spec"]["strategy"]["rollingUpdate"]
        assert strategy["maxUnavailable"] == 0
        assert name in of_kind(rendered, "PodDisruptionBudget")
    worker = of_kind(rendered, "Deployment")["worker"]["spec"]["strategy"]["rollingUpdate"]
    assert worker == {"maxSurge": 0, "maxUnavailable": 1}


@needs_kubectl
def test_everything_is_denied_that_no_policy_allows(rendered: list[dict[str, Any]]) -> None:
    policies = of_kind(rendered, "NetworkPolicy")
    assert policies["default-deny"]["spec"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    for name, workload in workloads(rendered).items():
        labels = workload["spec"]["template"]["metadata"]["labels"]
        assert labels["app.kubernetes.io/component"] == name
    for name, service in of_kind(rendered, "Service").items():
        assert service["spec"].get("type", "ClusterIP") == "ClusterIP"
        assert service["spec"]["selector"]["app.kubernetes.io/component"] == name


@needs_kubectl
def test_each_overlay_has_a_namespace_that_refuses_privileges(rendered: list[dict[str, Any]]) -> None:
    [namespace] = of_kind(rendered, "Namespace").values()
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    others = [each for each in rendered if each["kind"] != "Namespace"]
    assert {each["metadata"]["namespace"] for each in others} == {namespace["metadata"]["name"]}

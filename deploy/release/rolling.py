"""Replace one release by another; the old one serves until the new one does."""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Mapping

from host.console import Console, Failure
from host.stack import Stack

from . import images, traffic
from .replicas import Container, containers, create, remove, start, start_beside
from .site import reach

CONFIGURATION = "proxy-config"  # the service that loads the proxy's configuration, and ends
OWN_STEP = {"db", "backend", "worker", "proxy", CONFIGURATION}  # services with a step of their own, or none


class Rolling:
    """The single moves. Each is idempotent, so that an interrupted release can repeat it."""

    def __init__(self, stack: Stack, console: Console) -> None:
        self.stack = stack
        self.console = console

    @property
    def replicas(self) -> int:
        """The number of backends in the env file."""
        return int(self.stack.values.get("BACKEND_REPLICAS") or 1)

    def choose_proxy(self, tag: str, *, keep: bool) -> str:
        """Return the tag of the proxy's configuration: the release's, or the present one if it brings none."""
        own, present = images.find(self.stack, f"{images.PROXY}:{tag}"), containers(self.stack, CONFIGURATION)
        if own and not (keep and present):
            return tag
        if present:
            return images.keep_tag(self.stack, f"{images.PROXY}:{present[0].tag}", present[0].image)
        named = self.stack.values.get("PROXY_TAG") or self.stack.tag
        if images.find(self.stack, f"{images.PROXY}:{named}") is None:
            raise Failure(
                f"no proxy is running, and {images.PROXY}:{named} is not on this host",
                "build it from the checkout, load it with `docker load`, or set PROXY_TAG to one on this host",
            )
        return named

    def slot(self, replicas: Collection[Container]) -> str:
        """Return the slot of these replicas, or an empty text if they are not all in one."""
        slots = [slot for slot in traffic.SLOTS if any(f"backend-{slot}" in each.aliases for each in replicas)]
        in_it = [each for each in replicas if len(slots) == 1 and f"backend-{slots[0]}" in each.aliases]
        return slots[0] if in_it and len(in_it) == len(replicas) else ""

    def start(self, accepted: Collection[str] = (), *, extra: Mapping[str, str] | None = None) -> list[Container]:
        """Return the wanted number of replicas: the accepted ones, if one of them is healthy, and new ones.

        `extra`, from `Stack.variant`, gives the new ones other values than the env file's.
        Docker's DNS lists a container as soon as it runs, so the proxy is first pinned to the slot of those that
        run now. If there are none, it shows its maintenance page until the switch: nobody gets an untested release.
        """
        known = containers(self.stack, "backend")
        ready = [each for each in known if each.id in accepted and each.state == "running"]
        ready = [each for each in ready if any(other.serves for other in ready) and not each.has_failed_to_start]
        missing = self.replicas - len(ready)
        if missing > 0:
            # also those that keep crashing: Compose would start no worker beside them
            remove(self.stack, [each for each in known if each.state != "running" or each.has_failed_to_start])
            self._pin(ready or [each for each in containers(self.stack, "backend") if each.state == "running"])
            ready += start_beside(self.stack, missing, extra)
        return ready

    def _pin(self, running: Collection[Container]) -> None:
        if running and self._proxies():
            traffic.send_to(self.stack, self.slot(running), strict=True)
        elif not running:
            self.close()

    def close(self) -> None:
        """Show the maintenance page instead of the site."""
        if self._proxies():
            traffic.close(self.stack)

    def restart(self, accepted: Collection[str]) -> None:
        """Start the replicas that were stopped for a migration."""
        known = containers(self.stack, "backend")
        start(self.stack, "backend", [each for each in known if each.id in accepted and each.state == "exited"])

    def stop(self) -> None:
        """Show the maintenance page and stop everything that uses the database, without removing it."""
        self.close()
        self.stack.stop("worker", "backend")

    def clear(self, staying: Collection[str]) -> None:
        """Remove every other replica, without waiting for its requests."""
        remove(self.stack, [each for each in containers(self.stack, "backend") if each.id not in staying])

    def switch(self, replicas: Collection[Container]) -> None:
        """Send new requests to these replicas only; start a proxy if none is running."""
        if not self._proxies():
            self._load_configuration()
            self._replace("proxy")
        traffic.send_to(self.stack, self.slot(replicas))

    def retire(self, staying: Collection[str]) -> None:
        """Remove every other replica once no request to it is in flight, and unpin the proxy."""
        leaving = [each for each in containers(self.stack, "backend") if each.id not in staying]
        if leaving:
            seconds = traffic.wait_until_idle(self.stack, leaving)
            self.console.note(f"  waited {seconds:.1f} s for requests in flight to the old replicas")
            remove(self.stack, leaving)
        traffic.send_to(self.stack, "")

    def replace_worker(self) -> None:
        """Replace the worker, after it has finished its jobs."""
        self._replace("worker")

    def replace_others(self) -> None:
        """Replace the services that have no step of their own, such as `backup`, if anything about them changes.

        If the release brings no image for one, the running image gets the release's tag: otherwise Compose would
        build one at the next backup or `up`.
        """
        described = self._described()
        for service in sorted(described.keys() - OWN_STEP):
            (image, config_hash), running = described[service], containers(self.stack, service)
            if running and not images.find(self.stack, image):
                self.console.note(
                    f"  {image} is not on this host: the running image of {service} stays and gets that tag"
                )
                self.stack.run("docker", "tag", running[-1].image, image)
            found = images.find(self.stack, image)
            wanted = (found and found.id, config_hash)
            if running and all(each.serves and (each.image, each.config_hash) == wanted for each in running):
                continue  # a pooler, for example, whose clients would lose their connections
            if running or found:
                self._replace(service)
            else:
                self.console.note(f"  {service} is not started: {image} is not on this host")

    def update_proxy(self) -> float | None:
        """Load the release's configuration into the proxy, which interrupts nothing.

        The proxy itself is replaced only if `docker compose up` would do so, for another Caddy or other ports.
        Return for how many seconds at most it was unreachable.
        """
        self._load_configuration()
        if self._would_stay("proxy"):
            return None
        start = time.monotonic()
        self._replace("proxy")
        reach(self.stack)
        return time.monotonic() - start

    def _load_configuration(self) -> None:
        remove(self.stack, containers(self.stack, CONFIGURATION))
        create(self.stack, CONFIGURATION)
        for each in containers(self.stack, CONFIGURATION):
            self.stack.run("docker", "start", "--attach", each.id)

    def _would_stay(self, service: str) -> bool:
        """Return whether `docker compose up` would keep the service's running container."""
        name, config_hash = self._described()[service]
        image = images.find(self.stack, name)
        return any(
            each.state == "running"
            and each.config_hash == config_hash
            and (image is None or each.image == image.id)
            for each in containers(self.stack, service)
        )

    def _described(self) -> dict[str, tuple[str, str | None]]:
        """Return each service's image, and the hash of its configuration, which its containers bear."""
        resolved = self.stack.compose("config", "--format", "json").stdout
        services = json.loads(resolved)["services"]
        # Of the resolved files, without env_file, as `up` does it; --hash of the files themselves is another one.
        hashing = ("docker", "compose", "--file", "-", "config", "--hash", "*")
        printed = self.stack.run(*hashing, given=resolved).stdout
        hashes = dict(line.split(" ", 1) for line in printed.splitlines())
        return {name: (each.get("image", ""), hashes.get(name)) for name, each in services.items()}

    def _proxies(self) -> list[Container]:
        return [each for each in containers(self.stack, "proxy") if each.state == "running"]

    def _replace(self, service: str) -> None:
        remove(self.stack, containers(self.stack, service))
        create(self.stack, service, len(containers(self.stack, "backend")) if service in OWN_STEP else 0)
        start(self.stack, service, containers(self.stack, service))

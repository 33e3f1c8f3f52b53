"""Replace one release by another; the old one serves until the new one does."""

from __future__ import annotations

import json
import time
from collections.abc import Collection

from host.console import Console, Failure
from host.stack import Stack

from . import images, traffic
from .replicas import Container, containers, create, remove, start, start_beside
from .site import reach

OWN_STEP = {"db", "backend", "worker", "proxy"}  # services with a step of their own, or none


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
        """Return the proxy's tag for a release: the running one, unless the release brings another image."""
        proxies, own = self._proxies(), images.find(self.stack, f"{images.PROXY}:{tag}")
        if not proxies:
            return tag if own else self._named_proxy()
        if own and own.id != proxies[0].image and not keep:
            return tag
        return images.keep_tag(self.stack, f"{images.PROXY}:{proxies[0].tag}", proxies[0].image)

    def _named_proxy(self) -> str:
        tag = self.stack.values.get("PROXY_TAG") or self.stack.tag
        if images.find(self.stack, f"{images.PROXY}:{tag}") is None:
            raise Failure(
                f"no proxy is running, and {images.PROXY}:{tag} is not on this host",
                "build it from the checkout, load it with `docker load`, or set PROXY_TAG to one on this host",
            )
        return tag

    def slot(self, replicas: Collection[Container]) -> str:
        """Return the slot of these replicas, or an empty text if they are not all in one."""
        slots = [slot for slot in traffic.SLOTS if any(f"backend-{slot}" in each.aliases for each in replicas)]
        in_it = [each for each in replicas if len(slots) == 1 and f"backend-{slots[0]}" in each.aliases]
        return slots[0] if in_it and len(in_it) == len(replicas) else ""

    def start(self, accepted: Collection[str] = ()) -> list[Container]:
        """Return the wanted number of replicas: the accepted ones, if one of them is healthy, and new ones.

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
            ready += start_beside(self.stack, missing)
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
        self.stack.compose("stop", "worker", "backend")

    def clear(self, staying: Collection[str]) -> None:
        """Remove every other replica, without waiting for its requests."""
        remove(self.stack, [each for each in containers(self.stack, "backend") if each.id not in staying])

    def switch(self, replicas: Collection[Container]) -> None:
        """Send new requests to these replicas only; start a proxy if none is running."""
        if not self._proxies():
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
        services = json.loads(self.stack.compose("config", "--format", "json").stdout)["services"]
        hashes = dict(line.split() for line in self.stack.compose("config", "--hash", "*").stdout.splitlines())
        for service in sorted(services.keys() - OWN_STEP):
            image, running = services[service].get("image", ""), containers(self.stack, service)
            if running and not images.find(self.stack, image):
                self.console.note(
                    f"  {image} is not on this host: the running image of {service} stays and gets that tag"
                )
                self.stack.run("docker", "tag", running[-1].image, image)
            found = images.find(self.stack, image)
            wanted = (found and found.id, hashes.get(service))
            if running and all(each.serves and (each.image, each.configuration) == wanted for each in running):
                continue  # a pooler, for example, whose clients would lose their connections
            if running or found:
                self._replace(service)
            else:
                self.console.note(f"  {service} is not started: {image} is not on this host")

    def replace_proxy(self) -> float | None:
        """Replace the proxy if its image changes; return for how many seconds at most it was unreachable."""
        wanted, proxies = self.stack.values.get("PROXY_TAG") or self.stack.tag, self._proxies()
        image = images.find(self.stack, f"{images.PROXY}:{wanted}")
        if image and proxies and image.id == proxies[0].image:
            return None
        start = time.monotonic()
        self._replace("proxy")
        reach(self.stack)
        return time.monotonic() - start

    def _proxies(self) -> list[Container]:
        return [each for each in containers(self.stack, "proxy") if each.state == "running"]

    def _replace(self, service: str) -> None:
        remove(self.stack, containers(self.stack, service))
        create(self.stack, service, len(containers(self.stack, "backend")) if service in OWN_STEP else 0)
        start(self.stack, service, containers(self.stack, service))

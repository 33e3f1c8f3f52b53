"""This will put a release into the place of another, with the old one serving until the new one does."""

from __future__ import annotations

import json
import time
from collections.abc import Collection

from host.console import Console, Refused
from host.stack import Stack

from . import images, traffic
from .replicas import Container, containers, create, remove, start_again, start_beside, wait_until_healthy
from .smoke import reach

STEERED = {"db", "backend", "worker", "proxy"}  # services with a step of their own, or none


class Rolling:
    """The moves, each of which may be repeated: what has been reached already is left as it is."""

    def __init__(self, stack: Stack, console: Console) -> None:
        self.stack = stack
        self.console = console

    @property
    def replicas(self) -> int:
        """How many backends the env file asks for."""
        return int(self.stack.values.get("BACKEND_REPLICAS") or 1)

    def choose_proxy(self, tag: str, *, keep: bool) -> str:
        """Return which proxy a release goes with: the one that runs, unless the release brings another."""
        proxies, own = self._proxies(), images.find(self.stack, f"{images.PROXY}:{tag}")
        if not proxies:
            return tag if own else self._named_proxy()
        if own and own.id != proxies[0].image and not keep:
            return tag
        return images.keep(self.stack, f"{images.PROXY}:{proxies[0].tag}", proxies[0].image)

    def _named_proxy(self) -> str:
        tag = self.stack.values.get("PROXY_TAG") or self.stack.tag
        if images.find(self.stack, f"{images.PROXY}:{tag}") is None:
            raise Refused(
                f"no proxy runs, and {images.PROXY}:{tag} is not on this host",
                "build it from the checkout, bring it with `docker load`, or name one that is here as PROXY_TAG",
            )
        return tag

    def slot(self, replicas: Collection[Container]) -> str:
        """Return the slot in which all of these replicas are, or nothing when they are in none or in several."""
        slots = [slot for slot in traffic.SLOTS if any(f"backend-{slot}" in each.aliases for each in replicas)]
        in_it = [each for each in replicas if len(slots) == 1 and f"backend-{slots[0]}" in each.aliases]
        return slots[0] if in_it and len(in_it) == len(replicas) else ""

    def start(self, accepted: Collection[str] = ()) -> list[Container]:
        """This will return as many healthy replicas as are wanted: those of the accepted ids, and fresh ones.

        A container has its addresses in Docker's DNS before it is healthy, so the proxy is told to stay in the slot
        of those that serve.
        """
        known = containers(self.stack, "backend")
        ready = [each for each in known if each.id in accepted and each.serves]
        missing = self.replicas - len(ready)
        if missing > 0:
            # one that dies again and again, too: Compose would start no worker beside it
            remove(self.stack, [each for each in known if each.state != "running" or each.has_failed_to_start])
            serving = [each for each in known if each.serves]
            if serving and self._proxies():
                traffic.send_to(self.stack, self.slot(serving))
            ready += start_beside(self.stack, missing)
        return ready

    def wake(self, accepted: Collection[str]) -> None:
        """This will start replicas again that were stopped for a migration."""
        known = containers(self.stack, "backend")
        start_again(self.stack, [each for each in known if each.id in accepted and each.state == "exited"])

    def pause(self) -> None:
        """This will stop all that uses the database, and keep it for being woken."""
        self.stack.compose("stop", "worker", "backend")

    def switch(self, replicas: Collection[Container]) -> None:
        """This will send new requests to these replicas only; a stack without a proxy gets one."""
        if not self._proxies():
            self._replace("proxy")
        traffic.send_to(self.stack, self.slot(replicas))

    def retire(self, staying: Collection[str]) -> None:
        """This will remove every other replica once nothing is in flight to it, and let the proxy ask all again."""
        leaving = [each for each in containers(self.stack, "backend") if each.id not in staying]
        if leaving:
            seconds = traffic.wait_until_idle(self.stack, leaving)
            self.console.note(f"  waited {seconds:.1f} s for requests to the old replicas")
            remove(self.stack, leaving)
        traffic.send_to(self.stack, "")

    def work(self) -> None:
        """This will have the worker finish its jobs, and replace it by what the env file says."""
        self._replace("worker")

    def follow(self) -> None:
        """This will bring the services that have no step of their own to what the env file says.

        Where the release brings no image for one, its own gets the release's name: otherwise Compose would build
        one, at the next backup or `up`.
        """
        services = json.loads(self.stack.compose("config", "--format", "json").stdout)["services"]
        for service, described in services.items():
            if service in STEERED:
                continue
            image, running = described["image"], containers(self.stack, service)
            if running and not images.find(self.stack, image):
                self.console.note(f"  {image} is not on this host: the one that runs goes by this name")
                self.stack.run("docker", "tag", running[-1].image, image)
            if running or images.find(self.stack, image):
                self._replace(service)
            else:
                self.console.note(f"  {service} is left out: {image} is not on this host")

    def replace_proxy(self) -> float | None:
        """This will run the env file's proxy and return for how many seconds nobody may have been answered."""
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
        create(self.stack, service, len(containers(self.stack, "backend")) if service in STEERED else 0)
        wait_until_healthy(self.stack, service)

"""Worker deployments: which builds there are, which of them gets the tasks, and the change of it by an operator."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

from django.db import transaction
from temporalio.api.enums.v1 import WorkerDeploymentVersionStatus
from temporalio.api.workflowservice.v1 import (
    DescribeWorkerDeploymentRequest,
    DescribeWorkerDeploymentResponse,
    ListWorkerDeploymentsRequest,
    SetWorkerDeploymentCurrentVersionRequest,
)
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from engine.entry import Entry, namespace_of
from engine.hosts.temporal.settings import reference
from wippy_console import permissions
from wippy_console.services import accounts, audit, feed, registry, temporal
from wippy_console.services.by_kind import WORKER
from wippy_console.services.errors import Conflict, NotFoundError, Refused, Unavailable
from wippy_console.services.temporal_asking import each_in_time, or_why_not

T = TypeVar("T")

MOST, MOST_VERSIONS = 20, 20
NOT_KNOWN = "It may have been done all the same: look at the page of workers."


@dataclass(frozen=True, slots=True)
class Build:
    """One version of a deployment. `status` is of WorkerDeploymentVersionStatus, in lower case."""

    id: str
    status: str
    made: datetime
    is_current: bool = False
    ramp: float = 0.0

    @property
    def is_over(self) -> bool:
        """Whether no open run is pinned to it any more."""
        return self.status == "drained"


@dataclass(frozen=True, slots=True)
class Deployment:
    """A deployment with its builds, the newest first; `error` says why they are not known."""

    client: str
    name: str
    builds: tuple[Build, ...] = ()
    modifier: str = ""
    workers: tuple[str, ...] = ()
    error: str = ""

    @property
    def current(self) -> str:
        """The build that gets the tasks, "" for none: then those without versions do."""
        return next((build.id for build in self.builds if build.is_current), "")

    @property
    def ramping(self) -> Build | None:
        """The build that gets a part of them."""
        return next((build for build in self.builds if build.ramp), None)


@dataclass(frozen=True, slots=True)
class Known:
    """The deployments, and why those of some clients are not known."""

    deployments: tuple[Deployment, ...]
    errors: tuple[tuple[str, str], ...] = ()


def asked(user: Any) -> Callable[[], Known]:
    """Ask for the deployments of the clients whose workers the user may see; the function waits for the answer.

    It takes two seconds at most. Whoever does not see everything gets those that such a worker names.
    """
    scope = permissions.scope(user, permissions.VIEW_FLEET)
    workers = [worker for worker in registry.of_kinds(WORKER) if scope.covers(worker.namespace)]
    answer = temporal.begin(each_in_time(sorted({reference(worker, "client") for worker in workers}), _of))

    def known() -> Known:
        found = answer.result()
        errors = tuple((client, told) for client, told in found.items() if isinstance(told, str))
        every = [each for told in found.values() if not isinstance(told, str) for each in told]
        mine = [_with_workers(each, workers) for each in every]
        return Known(tuple(each for each in mine if scope.everywhere or each.workers), errors)

    return known


def get(user: Any, client_id: str, name: str) -> Deployment:
    """One as it is now, for whoever may promote its builds; NotFoundError, Unavailable."""
    workers = [worker for worker in registry.of_kinds(WORKER) if reference(worker, "client") == client_id]
    found = _with_workers(Deployment(client_id, name), workers)
    _require(user, found)
    answer = _asked(client_id, lambda client: _describe(client, name))
    return _with_workers(_read(client_id, answer), workers)


def promote(user: Any, client_id: str, name: str, build_id: str, *, instead: str) -> None:
    """Make a build current, `instead` of the one that was current when the user saw it.

    Conflict when another is current by now, NotFoundError for an unknown build; Refused in the server's words when
    the build lacks a queue that the current one serves.
    """
    found = get(user, client_id, name)
    if build_id not in {build.id for build in found.builds}:
        raise NotFoundError(f"{name} has no build {build_id}.")
    if found.current == build_id:
        raise Conflict(f"Build {build_id} of {name} is current already.")
    if found.current != instead:
        raise Conflict(f"Build {found.current or '(none)'} of {name} has become current meanwhile. Look again.")
    identity = accounts.identity(user)
    try:
        _asked(client_id, lambda client: _set_current(client, name, build_id, instead, identity))
    except Unavailable as error:
        _note(user, found, build_id, "unknown")
        raise Unavailable(f"{error.message.rstrip('.')}. {NOT_KNOWN}") from error
    _note(user, found, build_id, "done")


def _note(user: Any, found: Deployment, build_id: str, outcome: str) -> None:
    entry_id = found.workers[0] if found.workers else ""
    noted = {"client": found.client, "deployment": found.name, "build": build_id, "instead": found.current}
    told = {"action": "promote", "user": user.get_username(), "outcome": outcome, "name": f"{found.name} {build_id}"}
    with transaction.atomic():
        audit.append(audit.PROMOTE, user, entry_id=entry_id, label=build_id, outcome=outcome, data=noted)
        feed.append(feed.OPERATION, entry_id=entry_id, data=told)


def _require(user: Any, found: Deployment) -> None:
    """Where one of its workers is; those of workers that are no entries are for whoever may everywhere."""
    namespaces = [namespace_of(worker) for worker in found.workers] or [""]
    if not any(permissions.allows(user, permissions.PROMOTE_BUILD, namespace) for namespace in namespaces):
        permissions.require(user, permissions.PROMOTE_BUILD, namespaces[0])


def _with_workers(found: Deployment, workers: Iterable[Entry]) -> Deployment:
    names = tuple(worker.id for worker in workers if _names(worker, found))
    return Deployment(found.client, found.name, found.builds, found.modifier, names, found.error)


def _names(worker: Entry, found: Deployment) -> bool:
    options = worker.data.get("worker_options")
    name = options.get("deployment_name") if isinstance(options, dict) else None
    return name == found.name and reference(worker, "client") == found.client


# -- asking ----------------------------------------------------------------------------------------


def _asked(client_id: str, act: Callable[[Client], Coroutine[Any, Any, T]]) -> T:
    try:
        return temporal.run(act(temporal.client(client_id)))
    except RPCError as error:
        if error.status == RPCStatusCode.NOT_FOUND:
            raise NotFoundError("There is no such deployment, or no such build of it, any more.") from error
        raise Refused(f"Temporal refuses it: {error.message.rstrip('.')}.") from error


async def _of(client_id: str) -> list[Deployment] | str:
    async def listed(client: Client) -> list[Deployment]:
        request = ListWorkerDeploymentsRequest(namespace=client.namespace, page_size=MOST)
        some = (await client.workflow_service.list_worker_deployments(request)).worker_deployments[:MOST]
        answers = await asyncio.gather(*(_describe(client, each.name) for each in some))
        return [_read(client_id, answer) for answer in answers]

    return await or_why_not(client_id, listed)


async def _describe(client: Client, name: str) -> DescribeWorkerDeploymentResponse:
    request = DescribeWorkerDeploymentRequest(namespace=client.namespace, deployment_name=name)
    return await client.workflow_service.describe_worker_deployment(request)


async def _set_current(client: Client, name: str, build_id: str, instead: str, identity: str) -> None:
    """By the token of a description that says what the user saw: a change in between is refused."""
    described = await _describe(client, name)
    if _read("", described).current != instead:
        raise Conflict("Another build has become current meanwhile. Look again.")
    request = SetWorkerDeploymentCurrentVersionRequest(
        namespace=client.namespace,
        deployment_name=name,
        build_id=build_id,
        conflict_token=described.conflict_token,
        identity=identity,
    )
    await client.workflow_service.set_worker_deployment_current_version(request)


def _read(client_id: str, answer: DescribeWorkerDeploymentResponse) -> Deployment:
    info = answer.worker_deployment_info
    routing = info.routing_config
    ramping, share = routing.ramping_deployment_version.build_id, routing.ramping_version_percentage
    builds = [
        Build(
            each.deployment_version.build_id,
            _status(each.status),
            each.create_time.ToDatetime(UTC),
            each.deployment_version.build_id == routing.current_deployment_version.build_id,
            share if each.deployment_version.build_id == ramping else 0.0,
        )
        for each in info.version_summaries
    ]
    newest = sorted(builds, key=lambda build: build.made, reverse=True)[:MOST_VERSIONS]
    return Deployment(client_id, info.name, tuple(newest), info.last_modifier_identity)


def _status(number: Any) -> str:
    return WorkerDeploymentVersionStatus.Name(number).rpartition("STATUS_")[2].lower()

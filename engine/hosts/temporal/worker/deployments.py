"""Deployments: a versioned worker makes its build current where none is, so that no run waits for it for ever.

Temporal hands tasks to the current version of a deployment only. The first build of a deployment makes itself
current; later ones leave the change to the operator (`temporal worker deployment set-current-version`), since a
node of the old build that is started again must not turn the traffic back.
"""

from __future__ import annotations

import asyncio
import logging

from temporalio.api.workflowservice.v1 import (
    DescribeWorkerDeploymentRequest,
    DescribeWorkerDeploymentResponse,
    SetWorkerDeploymentCurrentVersionRequest,
)
from temporalio.client import Client
from temporalio.common import WorkerDeploymentVersion
from temporalio.service import RPCError, RPCStatusCode

logger = logging.getLogger(__name__)

PAUSE = 0.25
LONGEST_PAUSE = 10.0


async def ensure_current(client: Client, version: WorkerDeploymentVersion) -> None:
    """Make the version current unless another is; tries until the server has heard of it by its pollers."""
    pause = PAUSE
    while True:
        try:
            current = await _current(client, version)
        except RPCError as error:
            logger.info("%s is not current yet: %s", version.to_canonical_string(), error.message)
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)
            continue
        if current != version.build_id:
            text = "build %s of %s serves only what is pinned to it: the current build is %s"
            logger.warning(text, version.build_id, version.deployment_name, current)
        return


async def _current(client: Client, version: WorkerDeploymentVersion) -> str:
    """The build that is current, which is this one when there was none."""
    described = await _described(client, version)
    routing = described.worker_deployment_info.routing_config
    if routing.HasField("current_deployment_version"):
        return routing.current_deployment_version.build_id
    request = SetWorkerDeploymentCurrentVersionRequest(
        namespace=client.namespace,
        deployment_name=version.deployment_name,
        build_id=version.build_id,
        conflict_token=described.conflict_token,
        identity=client.identity,
    )
    await client.workflow_service.set_worker_deployment_current_version(request)
    logger.info("build %s of %s is current now", version.build_id, version.deployment_name)
    return version.build_id


async def _described(client: Client, version: WorkerDeploymentVersion) -> DescribeWorkerDeploymentResponse:
    request = DescribeWorkerDeploymentRequest(namespace=client.namespace, deployment_name=version.deployment_name)
    described = await client.workflow_service.describe_worker_deployment(request)
    known = {summary.deployment_version.build_id for summary in described.worker_deployment_info.version_summaries}
    if version.build_id not in known:
        raise RPCError("its pollers are not known yet", RPCStatusCode.FAILED_PRECONDITION, b"")
    return described

"""OutdialService as generated stubs call it: who may, parse, call the use case, convert."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import UUID

from outbound.outdial.v1 import outdial_service_pb2 as outdial_pb
from outbound.outdial.v1 import outdial_service_pb2_grpc as outdial_grpc

from services.common.auth import Role, current_caller, require_customer, require_role
from services.common.convert import address_from_proto
from services.common.errors import InvalidArgument, Unavailable
from services.common.ids import optional_id, parse_id
from services.common.paging import page_request
from services.common.rpc import ServicerContext
from services.outdial.convert import (
    claimed_to_proto,
    described_to_proto,
    import_to_proto,
    options_from_proto,
    outdial_to_proto,
    plan_from_proto,
    progress_to_proto,
    rejects_to_proto,
    status_from_proto,
    target_to_proto,
)
from services.outdial.service import NewOutdial, OutdialChanges, OutdialService
from services.outdial.service_dialing import DialingService
from services.outdial.service_imports import ImportService
from services.outdial.service_targets import NewTarget, TargetChanges, TargetService


class OutdialServicer(outdial_grpc.OutdialServiceServicer):
    """One method per RPC."""

    def __init__(
        self,
        *,
        outdials: OutdialService,
        targets: TargetService,
        dialing: DialingService,
        imports: ImportService,
    ) -> None:
        self._outdials = outdials
        self._targets = targets
        self._dialing = dialing
        self._imports = imports

    # -- Outdials ----------------------------------------------------------------------------------

    async def CreateOutdial(
        self, request: outdial_pb.CreateOutdialRequest, context: ServicerContext
    ) -> outdial_pb.Outdial:
        """See the proto."""
        wanted = NewOutdial(
            id=optional_id(request.id, "id"),
            campaign_id=optional_id(request.campaign_id, "campaign_id"),
            name=request.name,
            detail=request.detail,
            data=request.data,
        )
        return outdial_to_proto(await self._outdials.create_outdial(require_customer(), wanted))

    async def GetOutdial(
        self, request: outdial_pb.GetOutdialRequest, context: ServicerContext
    ) -> outdial_pb.Outdial:
        """See the proto."""
        outdial_id = parse_id(request.id, "id")
        return outdial_to_proto(await self._outdials.get_outdial(require_customer(), outdial_id))

    async def ListOutdials(
        self, request: outdial_pb.ListOutdialsRequest, context: ServicerContext
    ) -> outdial_pb.ListOutdialsResponse:
        """See the proto."""
        page = page_request(request.page_size, request.page_token)
        found, token = await self._outdials.list_outdials(require_customer(), page)
        return outdial_pb.ListOutdialsResponse(
            outdials=[outdial_to_proto(each) for each in found], next_page_token=token
        )

    async def UpdateOutdial(
        self, request: outdial_pb.UpdateOutdialRequest, context: ServicerContext
    ) -> outdial_pb.Outdial:
        """See the proto."""
        changes = OutdialChanges(
            name=request.name if request.HasField("name") else None,
            detail=request.detail if request.HasField("detail") else None,
            data=request.data if request.HasField("data") else None,
            is_binding=request.HasField("campaign_id"),
            campaign_id=optional_id(request.campaign_id, "campaign_id"),
        )
        outdial_id = parse_id(request.id, "id")
        updated = await self._outdials.update_outdial(require_customer(), outdial_id, changes)
        return outdial_to_proto(updated)

    async def DeleteOutdial(
        self, request: outdial_pb.DeleteOutdialRequest, context: ServicerContext
    ) -> outdial_pb.Outdial:
        """See the proto."""
        outdial_id = parse_id(request.id, "id")
        deleted = await self._outdials.delete_outdial(require_customer(), outdial_id)
        return outdial_to_proto(deleted)

    async def GetOutdialProgress(
        self, request: outdial_pb.GetOutdialProgressRequest, context: ServicerContext
    ) -> outdial_pb.OutdialProgress:
        """See the proto."""
        outdial_id = parse_id(request.outdial_id, "outdial_id")
        progress = await self._outdials.get_progress(require_customer(), outdial_id)
        return progress_to_proto(progress)

    async def BindOutdial(
        self, request: outdial_pb.BindOutdialRequest, context: ServicerContext
    ) -> outdial_pb.Outdial:
        """See the proto."""
        require_role(Role.CAMPAIGN)
        bound = await self._outdials.bind_outdial(
            current_caller().customer_id,
            parse_id(request.outdial_id, "outdial_id"),
            optional_id(request.campaign_id, "campaign_id"),
            optional_id(request.expected_campaign_id, "expected_campaign_id"),
        )
        return outdial_to_proto(bound)

    # -- Targets -----------------------------------------------------------------------------------

    async def AddTargets(
        self, request: outdial_pb.AddTargetsRequest, context: ServicerContext
    ) -> outdial_pb.AddTargetsResponse:
        """See the proto."""
        added = await self._targets.add_targets(
            require_customer(),
            parse_id(request.outdial_id, "outdial_id"),
            [_new_target(each) for each in request.targets],
            is_one_request=request.is_one_request,
        )
        return outdial_pb.AddTargetsResponse(targets=[target_to_proto(each) for each in added])

    async def GetTarget(
        self, request: outdial_pb.GetTargetRequest, context: ServicerContext
    ) -> outdial_pb.Target:
        """See the proto."""
        found = await self._targets.get_target(require_customer(), *_target_ids(request))
        return target_to_proto(found)

    async def ListTargets(
        self, request: outdial_pb.ListTargetsRequest, context: ServicerContext
    ) -> outdial_pb.ListTargetsResponse:
        """See the proto."""
        found, token = await self._targets.list_targets(
            require_customer(),
            parse_id(request.outdial_id, "outdial_id"),
            page_request(request.page_size, request.page_token),
            status_from_proto(request.status),
        )
        return outdial_pb.ListTargetsResponse(
            targets=[target_to_proto(each) for each in found], next_page_token=token
        )

    async def UpdateTarget(
        self, request: outdial_pb.UpdateTargetRequest, context: ServicerContext
    ) -> outdial_pb.Target:
        """See the proto."""
        changes = TargetChanges(
            name=request.name if request.HasField("name") else None,
            detail=request.detail if request.HasField("detail") else None,
            data=request.data if request.HasField("data") else None,
            destinations={
                each.index: address_from_proto(each.destination) for each in request.destinations
            },
        )
        updated = await self._targets.update_target(
            require_customer(), *_target_ids(request), changes
        )
        return target_to_proto(updated)

    async def DeleteTarget(
        self, request: outdial_pb.DeleteTargetRequest, context: ServicerContext
    ) -> outdial_pb.Target:
        """See the proto."""
        deleted = await self._targets.delete_target(require_customer(), *_target_ids(request))
        return target_to_proto(deleted)

    async def ResetTarget(
        self, request: outdial_pb.ResetTargetRequest, context: ServicerContext
    ) -> outdial_pb.Target:
        """See the proto."""
        found = await self._targets.reset_target(require_customer(), *_target_ids(request))
        return target_to_proto(found)

    # -- Import ------------------------------------------------------------------------------------

    async def ImportTargets(
        self,
        request_iterator: AsyncIterator[outdial_pb.ImportTargetsRequest],
        context: ServicerContext,
    ) -> outdial_pb.ImportResult:
        """See the proto."""
        customer_id = require_customer()
        first = await anext(aiter(request_iterator), None)
        if first is None or first.WhichOneof("part") != "header":
            raise InvalidArgument("the stream must begin with a header", field="header")
        header = first.header
        done = await self._imports.run(
            customer_id,
            parse_id(header.outdial_id, "outdial_id"),
            parse_id(header.import_id, "import_id"),
            options_from_proto(header),
            _chunks(request_iterator),
        )
        return import_to_proto(done)

    async def GetImport(
        self, request: outdial_pb.GetImportRequest, context: ServicerContext
    ) -> outdial_pb.ImportResult:
        """See the proto."""
        return import_to_proto(await self._imports.get(require_customer(), *_import_ids(request)))

    async def ListImportRejects(
        self, request: outdial_pb.ListImportRejectsRequest, context: ServicerContext
    ) -> AsyncIterator[outdial_pb.ListImportRejectsResponse]:
        """See the proto."""
        pages = self._imports.rejects(require_customer(), *_import_ids(request))
        async for page in pages:
            yield outdial_pb.ListImportRejectsResponse(rejects=rejects_to_proto(page))

    # -- Dialing -----------------------------------------------------------------------------------

    async def ClaimTargets(
        self, request: outdial_pb.ClaimTargetsRequest, context: ServicerContext
    ) -> outdial_pb.ClaimTargetsResponse:
        """See the proto."""
        require_role(Role.DIALER)
        claim = await self._dialing.claim(
            claim_id=parse_id(request.claim_id, "claim_id"),
            outdial_id=parse_id(request.outdial_id, "outdial_id"),
            campaign_id=parse_id(request.campaign_id, "campaign_id"),
            limit=request.limit,
            plan=plan_from_proto(request.plan),
        )
        return outdial_pb.ClaimTargetsResponse(
            targets=[claimed_to_proto(each) for each in claim.targets],
            exhausted_count=claim.exhausted_count,
            progress=progress_to_proto(claim.progress),
            outdial_name=claim.outdial.name,
            outdial_data=claim.outdial.data,
        )

    async def ReleaseClaims(
        self, request: outdial_pb.ReleaseClaimsRequest, context: ServicerContext
    ) -> outdial_pb.ReleaseClaimsResponse:
        """See the proto."""
        require_role(Role.DIALER)
        count = await self._dialing.release(
            [parse_id(each, "attempt_ids") for each in request.attempt_ids]
        )
        return outdial_pb.ReleaseClaimsResponse(released_count=count)

    async def DescribeTargets(
        self, request: outdial_pb.DescribeTargetsRequest, context: ServicerContext
    ) -> outdial_pb.DescribeTargetsResponse:
        """See the proto."""
        require_role(Role.DIALER)
        found = await self._dialing.describe(
            parse_id(request.outdial_id, "outdial_id"),
            [parse_id(each, "target_ids") for each in request.target_ids],
        )
        return outdial_pb.DescribeTargetsResponse(
            targets=[described_to_proto(each) for each in found.targets],
            outdial_name=found.outdial.name,
            outdial_data=found.outdial.data,
        )


async def _chunks(
    requests: AsyncIterator[outdial_pb.ImportTargetsRequest],
) -> AsyncIterator[bytes]:
    async for request in requests:
        part = request.WhichOneof("part")
        if part == "end":
            return
        if part != "chunk":
            raise InvalidArgument("a header is followed by chunks and an end", field="part")
        yield request.chunk
    # A caller that went away looks like the end of the stream: half a list must not pass for one.
    raise Unavailable("the list broke off before its end; send it again")


def _import_ids(
    request: outdial_pb.GetImportRequest | outdial_pb.ListImportRejectsRequest,
) -> tuple[UUID, UUID]:
    return parse_id(request.outdial_id, "outdial_id"), parse_id(request.import_id, "import_id")


_TargetRequest = (
    outdial_pb.GetTargetRequest
    | outdial_pb.UpdateTargetRequest
    | outdial_pb.DeleteTargetRequest
    | outdial_pb.ResetTargetRequest
)


def _target_ids(request: _TargetRequest) -> tuple[UUID, UUID]:
    return parse_id(request.outdial_id, "outdial_id"), parse_id(request.id, "id")


def _new_target(message: outdial_pb.NewTarget) -> NewTarget:
    return NewTarget(
        id=optional_id(message.id, "id"),
        name=message.name,
        detail=message.detail,
        data=message.data,
        destinations=[address_from_proto(each) for each in message.destinations],
    )

"""A fake OutdialService over shelves."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from outbound.outdial.v1 import outdial_service_pb2 as outdial_pb
from outbound.outdial.v1 import outdial_service_pb2_grpc as outdial_grpc

from services.common.errors import AlreadyExists, FailedPrecondition, NotFound, Unavailable, invalid
from tests.support.backend_state import Fake, crud, fake

_T = outdial_pb.Target

_OutdialBase = fake(
    outdial_grpc.OutdialServiceServicer,
    methods=crud("outdials", "Outdial", "outdials", outdial_pb.ListOutdialsResponse),
)


class FakeOutdials(Fake, _OutdialBase):  # type: ignore[misc, valid-type]
    """OutdialService; an import takes every line but those that say `bad`."""

    async def AddTargets(self, request: Any, context: Any) -> Any:
        self.b.enter("AddTargets")
        self.b.outdials.get(request.outdial_id)
        for index, each in enumerate(request.targets):
            if not any(address.target for address in each.destinations):
                raise invalid(f"targets[{index}]", "nothing", "at least one usable destination")
        if request.is_one_request:
            body = request.SerializeToString(deterministic=True)
            for each in request.targets:
                if self.b.target_lists.setdefault(each.id, body) != body:
                    raise AlreadyExists(f"the id {each.id} is taken by another target")
        return outdial_pb.AddTargetsResponse(
            targets=[self._add(request.outdial_id, each) for each in request.targets]
        )

    def _add(self, outdial_id: str, new: Any) -> Any:
        slots = {
            f"destination_{index}": address
            for index, address in enumerate(new.destinations)
            if address.target
        }
        made = self.b.targets.create(
            new, outdial_id=outdial_id, status=_T.STATUS_IDLE, try_counts=[0] * 5, **slots
        )
        made.tm_update.CopyFrom(made.tm_create)
        return made

    def _target(self, request: Any) -> Any:
        found = self.b.targets.get(request.id)
        if found.outdial_id != request.outdial_id:
            raise invalid("target_id", request.id, "the id of a target of this outdial")
        return found

    async def GetTarget(self, request: Any, context: Any) -> Any:
        return self._target(request)

    async def ListTargets(self, request: Any, context: Any) -> Any:
        self.b.outdials.get(request.outdial_id)
        rows, token = self.b.targets.list(
            request,
            lambda row: row.outdial_id == request.outdial_id and request.status in (0, row.status),
        )
        return outdial_pb.ListTargetsResponse(targets=rows, next_page_token=token)

    async def UpdateTarget(self, request: Any, context: Any) -> Any:
        found = self._target(request)
        for change in request.destinations:
            found.ClearField(f"destination_{change.index}")
            if change.destination.target:
                getattr(found, f"destination_{change.index}").CopyFrom(change.destination)
        request.ClearField("destinations")
        return self.b.targets.update(request)

    async def DeleteTarget(self, request: Any, context: Any) -> Any:
        return self.b.targets.delete(self._target(request).id)

    async def ResetTarget(self, request: Any, context: Any) -> Any:
        found = self._target(request)
        if found.status == _T.STATUS_PROGRESSING:
            raise FailedPrecondition(f"target {found.id} is being dialed")
        return found

    async def GetOutdialProgress(self, request: Any, context: Any) -> Any:
        self.b.enter("GetOutdialProgress")
        self.b.outdials.get(request.outdial_id)
        total = sum(row.outdial_id == request.outdial_id for row in self.b.targets.rows.values())
        return outdial_pb.OutdialProgress(
            outdial_id=request.outdial_id, total_count=total, idle_count=total
        )

    async def ImportTargets(self, requests: Any, context: Any) -> Any:
        header, body, complete = None, bytearray(), False
        async for request in requests:
            if request.HasField("header"):
                header = request.header
                self.b.enter("ImportTargets")
                self.b.outdials.get(header.outdial_id)
                self.b.headers.append(header)
            body += request.chunk
            complete = request.HasField("end")
        assert header is not None
        if not complete:
            raise Unavailable("the list broke off")
        result = self.b.imports.get(header.import_id)
        if result is None:
            result = outdial_pb.ImportResult(
                import_id=header.import_id,
                outdial_id=header.outdial_id,
                state=outdial_pb.ImportResult.STATE_DONE,
            )
            for number, line in enumerate(bytes(body).decode().splitlines(), 1):
                result.row_count += 1
                if "bad" in line:
                    result.rejects.add(line=number, field="phone", value=line, reason="is bad")
            result.rejected_count = len(result.rejects)
            result.accepted_count = result.row_count - result.rejected_count
            self.b.imports[header.import_id] = result
        return result

    async def GetImport(self, request: Any, context: Any) -> Any:
        self.b.outdials.get(request.outdial_id)
        if request.import_id not in self.b.imports:
            raise NotFound(f"no import {request.import_id}", reason="IMPORT_NOT_FOUND")
        return self.b.imports[request.import_id]

    async def ListImportRejects(self, request: Any, context: Any) -> AsyncIterator[Any]:
        found = await self.GetImport(request, context)
        for reject in found.rejects:
            yield outdial_pb.ListImportRejectsResponse(rejects=[reject])

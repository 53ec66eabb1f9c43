# SPDX-License-Identifier: Apache-2.0
"""The way of a request through the simulated AWS: clock, signature, faults, shape, operation, shape, answer."""

import json
import sys
import time
import traceback

from . import account, auth, cloudtrail, container, destinations, errors, faults, history, iam_api, imds, kms, logs
from . import organizations, quota, s3, shapes, sns, sts
from . import call as aws_call
from .call import API_SERVICES
from .errors import AwsError
from .http import Response

API_SERVICES.update({module.NAME: module for module in (account, cloudtrail, iam_api, kms, logs, organizations, sns, sts)})
DESTINATIONS = (cloudtrail, iam_api, kms, logs, sns)       # what can change whether a trail can deliver
JSON = ("json", "rest-json")
METADATA = (imds, container)        # answer by path and are not signed
HOLD_SECONDS = 600                  # at most, should a test forget it
UNKNOWN_SERVICE_NAMESPACE = "http://webservices.amazon.com/AWSFault/2005-15-09"


class App:
    """Answers requests. `log` is a text file for one JSON line a request, `verbose` a short line on stderr."""

    def __init__(self, state, log=None, verbose=False):
        self.state = state
        self.faults = faults.Faults(state.lock)
        self.quotas = quota.Quotas(state)
        self.log = log
        self.verbose = verbose

    # -- entry points ------------------------------------------------------------------------------------------------
    def handle(self, request):
        """The handler of the AWS listener."""
        begun, resets = time.monotonic(), self.state.resets
        local = next((module for module in METADATA if request.path.startswith(module.PREFIX)), None)
        rest = "/s3/aws4_request" in request.header("authorization", "")
        call = (local or (s3 if rest else aws_call)).Call(self.state, request)
        hits = self.faults.hitting(call)
        for fault in hits:
            if fault["kind"] == "clock":
                call.now += fault["seconds"]
            elif fault["kind"] == "slow" and not fault.get("after"):
                self._pause(fault["seconds"], resets)
        if resets != self.state.resets:
            return self._nothing()
        entry = call.log_entry()
        try:
            response = self._answer(call, hits, entry, self._local if local else self._rest if rest else self._api)
        except Exception as error:     # our own mistake: never hidden behind a plausible answer
            traceback.print_exc()
            self.state.fail("self", f"{call.service} {call.operation}: {error!r}")
            response = Response(500, [("Content-Type", "text/plain")], b"the simulator failed\n")
        for fault in hits:
            if fault["kind"] == "slow" and fault.get("after"):
                self._pause(fault["seconds"], resets)
        if resets != self.state.resets:
            return self._nothing()
        response.date = call.now
        self._record(entry, response, begun, hits)
        return response

    def _pause(self, seconds, resets):
        """Waits, but not past a reset."""
        with self.state.changed:
            self.state.changed.wait_for(lambda: resets != self.state.resets, seconds)

    @staticmethod
    def _nothing():
        """For who asked an AWS that has been forgotten."""
        response = Response()
        response.reset = True
        return response

    def handle_metadata_only(self, request):
        """The handler of the plain-HTTP listener for credentials of instances and containers."""
        if any(request.path.startswith(module.PREFIX) for module in METADATA):
            return self.handle(request)
        return Response(404, [("Content-Type", "text/plain")], b"only metadata here\n")

    def _answer(self, call, hits, entry, serve):
        """The answer after faults. A fault with executed=true lets the operation happen before it is hidden."""
        replacing = next((fault for fault in hits if faults.replaces(fault)), None)
        refusing = next((fault for fault in hits if fault["kind"] in faults.REFUSING), None)
        authentic = self._authenticate(call, entry) if serve != self._local else None
        if replacing and not replacing.get("executed"):
            return self._replace(call, replacing, entry)
        if authentic:
            response = self._error(call, authentic, hits, entry)
        elif refusing:
            response = self._error(call, faults.refusal(refusing, call), hits, entry)
        else:
            response = serve(call, hits, entry)
        if replacing:
            return self._replace(call, replacing, entry)
        return self._bend(response, hits)

    def _replace(self, call, fault, entry):
        entry["fault"] = fault["kind"]
        if fault["kind"] == "hang":
            response = Response()
            until = time.monotonic() + fault.get("seconds", 3600)
            response.hang = lambda: self.faults.alive(fault["id"]) and time.monotonic() < until
            response.status = None
            return response
        response = faults.REPLACING[fault["kind"]](fault)
        response.headers.append(("x-amzn-RequestId", call.id))
        return response

    @staticmethod
    def _bend(response, hits):
        """Faults that leave the answer but change how it travels."""
        for fault in hits:
            if fault["kind"] == "truncate":
                response.truncate = fault.get("bytes", len(response.body) // 2)
            elif fault["kind"] == "close":
                response.close = True
            elif fault["kind"] == "headers":
                response.headers += list(fault["headers"].items())
        return response

    # -- the AWS side ------------------------------------------------------------------------------------------------
    def _authenticate(self, call, entry):
        """None, or the error that AWS would answer; what a test must not overlook is noted."""
        error = call.refused
        if error is not None and error.kind == "missing" and call.operation in getattr(call.module, "UNSIGNED", ()):
            return None
        if error is None:
            try:
                auth.check(call.request, call.scope, call.key, call.now, self.state.settings["signature_window"],
                           call.protocol == "json")
                call.principal = call.key.principal
                self._check_region(call)
                return None
            except auth.Refused as refused:
                error = refused
        self.state.fail("signature" if error.kind == "missing" else error.kind, error.detail, request=call.id,
                        service=call.service, operation=call.operation, region=call.region,
                        access_key=call.access_key, user_agent=call.user_agent)
        return error

    def _check_region(self, call):
        account = self.state.account(call.principal.account)
        if call.region not in account.regions:
            raise auth.Refused("region", "UnrecognizedClientException", auth.BAD_TOKEN,
                               f"{call.region} is not enabled in {account.id}")

    def _api(self, call, hits, entry):
        try:
            model, params = self._read(call)
            self.quotas.take(call)
        except AwsError as error:
            return self._error(call, error, hits, entry)
        with self.state.changed:
            resets = self.state.resets
            self.state.changed.wait_for(lambda: resets != self.state.resets or not self.faults.holds(call), HOLD_SECONDS)
            if resets != self.state.resets:
                return self._nothing()
            result, failure = None, None
            try:
                result = call.module.OPERATIONS[call.operation](call, params)
            except AwsError as error:
                failure = error
            history.record(call, params, result, failure)
            if call.module in DESTINATIONS and not history.is_read(call.operation) and call.operation != "Publish":
                destinations.note(self.state)
            self.state.changed.notify_all()
        if failure:
            return self._error(call, failure, hits, entry)
        return self._success(call, model, result, hits)

    def _read(self, call):
        """(operation model, parameters); raises AwsError and notes what does not fit the model."""
        try:
            if call.module is None:
                raise shapes.ShapeError(f"service {call.service!r} is not simulated")
            model = shapes.operation(call.service, call.operation)
            self._check_envelope(call, model)
            if call.unreadable:
                raise shapes.ShapeError(call.unreadable)
            params = call.raw if call.protocol in JSON else shapes.form_to_params(call.raw, model.input_shape)
            shapes.check(params, model.input_shape, call.operation)
            if call.protocol in JSON:
                shapes.check_json_types(params, model.input_shape)
        except shapes.ShapeError as error:
            self._note_shape(call, str(error))
            if call.operation not in getattr(call.module, "OPERATIONS", ()):
                raise AwsError("UnknownOperationException", "") from None
            raise AwsError("SerializationException", str(error)) from None
        violations = list(shapes.constraints(params, model.input_shape))
        if violations:
            noun = "error" if len(violations) == 1 else "errors"
            text = f"{len(violations)} validation {noun} detected: {'; '.join(violations)}"
            self._note_shape(call, text)
            raise AwsError("ValidationException", text)
        return model, params

    @staticmethod
    def _check_envelope(call, model):
        """What stands around the parameters: operation, protocol, path, content type, target, version."""
        if model is None:
            raise shapes.ShapeError(f"{call.service} has no operation {call.operation!r}")
        if call.operation not in call.module.OPERATIONS:
            raise shapes.ShapeError(f"{call.service} {call.operation} is not simulated")
        if call.protocol != shapes.protocol(call.service):
            raise shapes.ShapeError(f"{call.service} does not speak the {call.protocol} protocol")
        if (call.request.method, call.request.path) != (model.http["method"], model.http["requestUri"]):
            raise shapes.ShapeError(f"not a {model.http['method']} to {model.http['requestUri']}")
        kind = (call.request.header("content-type") or "").split(";")[0].strip()
        metadata = model.service_model.metadata
        if call.protocol == "json":
            if kind != f"application/x-amz-json-{metadata['jsonVersion']}":
                raise shapes.ShapeError(f"Content-Type {kind!r}")
            if call.target.rpartition(".")[0] not in shapes.target_prefixes(call.service):
                raise shapes.ShapeError(f"X-Amz-Target {call.target!r}")
        elif call.protocol == "rest-json":
            if kind != "application/json":
                raise shapes.ShapeError(f"Content-Type {kind!r}")
        else:
            if kind != "application/x-www-form-urlencoded":
                raise shapes.ShapeError(f"Content-Type {kind!r}")
            if call.raw.get("Version") != metadata["apiVersion"]:
                raise shapes.ShapeError(f"Version {call.raw.get('Version')!r} of {call.service}")

    def _note_shape(self, call, text):
        self.state.fail("shape", text, request=call.id, service=call.service, operation=call.operation,
                        user_agent=call.user_agent)

    def _success(self, call, model, result, hits):
        try:
            shapes.check(result, model.output_shape, f"answer to {call.operation}")
        except shapes.ShapeError as error:
            self.state.fail("self", str(error))
            return Response(500, [("Content-Type", "text/plain")], b"the simulator failed\n")
        headers = [("x-amzn-RequestId", call.id)]
        if call.protocol == "query":
            body = shapes.encode_query(result, model, call.id)
            return Response(200, headers + [("Content-Type", "text/xml")], body)
        kinds = {fault["kind"]: fault for fault in hits}
        body = shapes.encode_json(result, model.output_shape, "exponent" in kinds)
        if "members" in kinds or "remove_members" in kinds:
            document = {**json.loads(body), **kinds.get("members", {}).get("members", {})}
            for name in kinds.get("remove_members", {}).get("members", []):
                document.pop(name, None)
            body = json.dumps(document).encode()
        return Response(200, headers + [("Content-Type", self._json_type(call))], body)

    def _error(self, call, error, hits, entry):
        code, status = call.error_code(error)
        entry["error"] = code
        if isinstance(call, imds.Call):
            return call.error(status)
        if isinstance(call, s3.Call):
            return call.error_response(error)
        headers = [("x-amzn-RequestId", call.id)]
        if call.protocol == "query":
            namespace = UNKNOWN_SERVICE_NAMESPACE
            if call.module:
                namespace = shapes.service(call.service).metadata.get("xmlNamespace", namespace)
            body = errors.query_body(code, error.message, status, namespace, call.id)
            return Response(status, headers + [("Content-Type", "text/xml")], body)
        kinds = {fault["kind"]: fault for fault in hits}
        form = kinds.get("type_form", {}).get("form", "header" if call.protocol == "rest-json" else "plain")
        if form == "header":
            headers.append(("x-amzn-ErrorType", f"{code}:"))
        body = errors.json_body(code, error.message, call.service, form, kinds.get("message_key", {}).get("key"))
        return Response(status, headers + [("Content-Type", self._json_type(call))], body)

    @staticmethod
    def _json_type(call):
        return "application/json" if call.protocol == "rest-json" else "application/x-amz-json-1.1"

    # -- S3 ----------------------------------------------------------------------------------------------------------
    def _rest(self, call, hits, entry):
        response, failure = None, None
        with self.state.changed:
            try:
                response = call.serve()
                response.headers.append(("x-amz-request-id", call.id))
            except AwsError as error:
                failure = error
            history.record(call, call.record_parameters(), None, failure)
            self.state.changed.notify_all()
        return self._error(call, failure, hits, entry) if failure else response

    # -- metadata ----------------------------------------------------------------------------------------------------
    def _local(self, call, _hits, _entry):
        with self.state.changed:
            return call.serve()

    # -- the log -----------------------------------------------------------------------------------------------------
    def _record(self, entry, response, begun, hits):
        entry["status"] = None if response.reset or response.hang or response.pieces is not None else response.status
        entry["faults"] = [fault["kind"] for fault in hits]
        entry["seconds"] = round(time.monotonic() - begun, 6)
        with self.state.changed:
            self.state.sequence += 1
            entry["number"] = self.state.sequence
            entry["time"] = begun
            self.state.requests.append(entry)
            if self.log:
                self.log.write(json.dumps(entry) + "\n")
                self.log.flush()
            self.state.changed.notify_all()
        if self.verbose:
            what = entry.get("trail") or entry.get("topic") or ""
            words = [entry["account"] or "-", entry["region"] or "-", f"{entry['service']}:{entry['operation']}", what,
                     str(entry["status"]), entry.get("error", ""), *entry["faults"]]
            print(" ".join(word for word in words if word), file=sys.stderr, flush=True)

# SPDX-License-Identifier: Apache-2.0
"""Requests and answers held against botocore's service models: parsing, validation, and both wire formats."""

import base64
import copy
import functools
import json
import os
import re
import secrets
from datetime import datetime, timezone
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

import botocore.loaders
import botocore.model
import botocore.utils
import botocore.validate

ADDED = os.path.join(os.path.dirname(__file__), "added_members.json")
TARGETS = {"cloudtrail": ["com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101", "CloudTrail_20131101"]}


class ShapeError(Exception):
    """What came (or is to be sent) does not fit the model."""


class Loader(botocore.loaders.Loader):
    """botocore's models, with what AWS documents and the installed botocore lacks."""

    def load_service_model(self, service_name, type_name, api_version=None):
        model = super().load_service_model(service_name, type_name, api_version)
        return _add(copy.deepcopy(model), service_name) if type_name == "service-2" else model


def loader():
    return Loader(extra_search_paths=botocore.loaders.create_loader().search_paths)


def _add(model, name):
    with open(ADDED, encoding="utf-8") as file:
        added = json.load(file)
    for operation_name, added_operation in added.get(name, {}).get("operations", {}).items():
        model["operations"].setdefault(operation_name, added_operation)
    for shape, change in added.get(name, {}).get("shapes", {}).items():
        target = model["shapes"].setdefault(shape, {key: value for key, value in change.items() if key != "members"})
        for member, reference in change.get("members", {}).items():
            target.setdefault("members", {}).setdefault(member, reference["ref"])
    return model


@functools.cache
def service(name):
    """The model of a service."""
    return botocore.model.ServiceModel(loader().load_service_model(name, "service-2"), name)


@functools.cache
def operation(service_name, name):
    """The model of an operation, or None."""
    try:
        return service(service_name).operation_model(name)
    except botocore.model.OperationNotFoundError:
        return None


def operation_of_path(service_name, path):
    """The operation of a REST-JSON service whose path that is, or ""."""
    model = service(service_name)
    return next((name for name in model.operation_names if model.operation_model(name).http["requestUri"] == path), "")


def protocol(service_name):
    return service(service_name).metadata["protocol"]


def target_prefixes(service_name):
    """What may stand before the operation in X-Amz-Target. Older clients send CloudTrail's long form, newer the short."""
    return TARGETS.get(service_name) or [service(service_name).metadata["targetPrefix"]]


# -- what AWS adds tomorrow --------------------------------------------------------------------------------------------
def is_of_tomorrow(name):
    """Members of these names are in no model: the setting `tomorrow` adds them to answers, and writes may have them."""
    return name.startswith("Tomorrow")


def without_tomorrow(value):
    if isinstance(value, dict):
        return {name: without_tomorrow(member) for name, member in value.items() if not is_of_tomorrow(name)}
    return [without_tomorrow(member) for member in value] if isinstance(value, list) else value


# -- validation ------------------------------------------------------------------------------------------------------
def check(params, shape, what):
    """Raise ShapeError unless the value fits: known members only, required ones there, right types."""
    if shape is None:
        if params:
            raise ShapeError(f"{what}: nothing expected")
        return
    params = without_tomorrow(params)
    report = botocore.validate.ParamValidator().validate(params, shape)
    if report.has_errors():
        raise ShapeError(f"{what}: {report.generate_report()}")
    unknown = list(_unknown(params, shape, ""))
    if unknown:
        raise ShapeError(f"{what}: unknown member {', '.join(unknown)}")


def _children(value, shape, path):
    if shape.type_name == "structure" and isinstance(value, dict):
        for name, member in value.items():
            if name in shape.members:
                yield member, shape.members[name], f"{path}.{name}"
    elif shape.type_name == "list":
        for index, member in enumerate(value):
            yield member, shape.member, f"{path}[{index}]"
    elif shape.type_name == "map":
        for name, member in value.items():
            yield member, shape.value, f"{path}[{name}]"


def _unknown(value, shape, path):
    if shape.type_name == "structure" and isinstance(value, dict):
        for name in value:
            if name not in shape.members:
                yield f"{path}.{name}".lstrip(".")
    for child, child_shape, child_path in _children(value, shape, path):
        yield from _unknown(child, child_shape, child_path)


def constraints(value, shape, path=""):
    """AWS's constraint texts for what botocore does not look at: enumerations, greatest lengths, patterns."""
    if shape is None:
        return
    limit = shape.metadata
    if "enum" in limit and value not in limit["enum"]:
        yield (f"Value '{value}' at '{path}' failed to satisfy constraint: Member must satisfy enum value set: "
               f"[{', '.join(limit['enum'])}]")
    if "max" in limit:
        size = value if shape.type_name in ("integer", "long") else len(value)
        if size > limit["max"]:
            yield (f"Value at '{path}' failed to satisfy constraint: Member must have length less than or equal to "
                   f"{limit['max']}")
    if "pattern" in limit and isinstance(value, str) and not _pattern_fits(limit["pattern"], value):
        yield (f"Value at '{path}' failed to satisfy constraint: Member must satisfy regular expression pattern: "
               f"{limit['pattern']}")
    for child, child_shape, child_path in _children(value, shape, path):
        yield from constraints(child, child_shape, child_path.lstrip("."))


def check_json_types(value, shape, path=""):
    """What botocore lets pass because its own callers may: times as text, true as a number."""
    if shape is None:
        return
    kind = shape.type_name
    if kind == "timestamp" and (isinstance(value, bool) or not isinstance(value, (int, float))):
        raise ShapeError(f"{path}: a time is a number of seconds")
    if kind in ("integer", "long", "float", "double") and isinstance(value, bool):
        raise ShapeError(f"{path}: a boolean is not a number")
    for child, child_shape, child_path in _children(value, shape, path):
        check_json_types(child, child_shape, child_path.lstrip("."))


def _pattern_fits(pattern, value):
    try:
        return re.fullmatch(pattern, value) is not None
    except re.error:        # a Java pattern that Python does not know
        return True


# -- requests --------------------------------------------------------------------------------------------------------
def _no_twice(pairs):
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("a member comes twice")
    return result


def parse_json(body):
    try:
        params = json.loads(body.decode("utf-8"), object_pairs_hook=_no_twice)
    except (ValueError, RecursionError) as error:
        raise ShapeError(f"the body is not JSON: {error}") from None
    if not isinstance(params, dict):
        raise ShapeError("the body is not a JSON object")
    return params


def parse_form(body):
    """The form as a flat dictionary; a repeated key is an error."""
    try:
        pairs = parse_qsl(body.decode("utf-8"), keep_blank_values=True, strict_parsing=True, errors="strict")
    except ValueError as error:
        raise ShapeError(f"the form cannot be read: {error}") from None
    form = dict(pairs)
    if len(form) != len(pairs):
        raise ShapeError("a form key comes twice")
    return form


def form_to_params(form, shape):
    """The flat form back into nested parameters. Raises ShapeError for keys that belong to no member."""
    rest = {key: value for key, value in form.items() if key not in ("Action", "Version")}
    params = _take(rest, shape, "") if shape is not None else {}
    if rest:
        raise ShapeError(f"unknown form keys: {', '.join(sorted(rest))}")
    return {} if params is None else params


def _take(rest, shape, prefix):
    """Remove from `rest` what belongs to `shape` under `prefix`; None when there is nothing."""
    if shape.type_name == "structure":
        found = {}
        for name, member in shape.members.items():
            wire = member.serialization.get("name", name)
            value = _take(rest, member, f"{prefix}.{wire}".lstrip("."))
            if value is not None:
                found[name] = value
        return found if found or not prefix else None
    if shape.type_name == "list":
        inner = shape.member.serialization.get("name", "member")
        base = prefix if shape.serialization.get("flattened") else f"{prefix}.{inner}"
        return _take_numbered(rest, base, lambda place: _take(rest, shape.member, place)) or None
    if shape.type_name == "map":
        base = prefix if shape.serialization.get("flattened") else f"{prefix}.entry"
        key_name = shape.key.serialization.get("name", "key")
        value_name = shape.value.serialization.get("name", "value")
        pairs = _take_numbered(rest, base, lambda place: (rest.pop(f"{place}.{key_name}", None),
                                                          _take(rest, shape.value, f"{place}.{value_name}")))
        if any(key is None or value is None for key, value in pairs):
            raise ShapeError(f"a map entry under {base} lacks its key or value")
        if len({key for key, _ in pairs}) != len(pairs):
            raise ShapeError(f"a key under {base} comes twice")
        return dict(pairs) or None
    text = rest.pop(prefix, None)
    return None if text is None else _scalar(text, shape, prefix)


def _take_numbered(rest, base, take):
    result, number = [], 1
    while any(key == f"{base}.{number}" or key.startswith(f"{base}.{number}.") for key in rest):
        result.append(take(f"{base}.{number}"))
        number += 1
    return result


def _scalar(text, shape, path):
    try:
        if shape.type_name in ("integer", "long"):
            return int(text)
        if shape.type_name in ("float", "double"):
            return float(text)
        if shape.type_name == "boolean":
            return {"true": True, "false": False}[text]
        if shape.type_name == "blob":
            return base64.b64decode(text, validate=True)
    except (ValueError, KeyError):
        raise ShapeError(f"{path} is not a {shape.type_name}: {text!r}") from None
    return text


# -- answers ---------------------------------------------------------------------------------------------------------
MARK = secrets.token_hex(8)     # frames numbers until their final form is known


def encode_json(result, shape, exponent=False):
    """An answer as JSON bytes. Times are numbers, in exponent form when asked."""
    text = json.dumps(_jsonable(result, shape), separators=(",", ":"))
    return re.sub(f'"{MARK}([^"]*)"', lambda match: _epoch(float(match[1]), exponent), text).encode()


def _epoch(value, exponent):
    if exponent:
        mantissa, power = f"{value:.12E}".split("E")
        return f"{mantissa.rstrip('0').rstrip('.') if '.' in mantissa else mantissa}E{int(power)}"
    return repr(round(value, 3))


def _jsonable(value, shape):
    if shape is None:
        return {}
    if shape.type_name == "structure":
        return {name: member if is_of_tomorrow(name) else _jsonable(member, shape.members[name])
                for name, member in value.items() if member is not None}
    if shape.type_name == "list":
        return [_jsonable(member, shape.member) for member in value]
    if shape.type_name == "map":
        return {name: _jsonable(member, shape.value) for name, member in value.items()}
    if shape.type_name == "timestamp":
        return f"{MARK}{float(value)!r}"
    if shape.type_name == "blob":
        return base64.b64encode(value).decode()
    return value


def encode_query(result, model, request_id):
    """An answer of the Query protocol."""
    name, namespace = model.name, model.service_model.metadata["xmlNamespace"]
    wrapper = model.output_shape.serialization.get("resultWrapper", f"{name}Result") if model.output_shape else None
    inner = _xml_members(result, model.output_shape) if model.output_shape else ""
    if wrapper:
        inner = f"  <{wrapper}>\n{inner}  </{wrapper}>\n"
    return (f'<{name}Response xmlns="{namespace}">\n{inner}  <ResponseMetadata>\n    <RequestId>{request_id}'
            f"</RequestId>\n  </ResponseMetadata>\n</{name}Response>\n").encode()


def _xml_members(value, shape):
    return "".join(_xml(member, shape.members[name], shape.members[name].serialization.get("name", name))
                   for name, member in value.items() if member is not None)


def _xml(value, shape, tag):
    if shape.type_name == "structure":
        return f"    <{tag}>\n{_xml_members(value, shape)}    </{tag}>\n"
    if shape.type_name == "list":
        if shape.serialization.get("flattened"):
            return "".join(_xml(member, shape.member, tag) for member in value)
        inner = shape.member.serialization.get("name", "member")
        return f"    <{tag}>\n" + "".join(_xml(member, shape.member, inner) for member in value) + f"    </{tag}>\n"
    if shape.type_name == "map":
        key_name = shape.key.serialization.get("name", "key")
        value_name = shape.value.serialization.get("name", "value")
        return f"    <{tag}>\n" + "".join(
            f"      <entry>\n{_xml(key, shape.key, key_name)}{_xml(member, shape.value, value_name)}      </entry>\n"
            for key, member in value.items()) + f"    </{tag}>\n"
    if shape.type_name == "timestamp":
        value = datetime.fromtimestamp(value, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    elif shape.type_name == "boolean":
        value = "true" if value else "false"
    elif shape.type_name == "blob":
        value = base64.b64encode(value).decode()
    return f"    <{tag}>{escape(str(value))}</{tag}>\n"

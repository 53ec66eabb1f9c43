# SPDX-License-Identifier: Apache-2.0
"""SNS: topics and Publish, with what each kind of subscriber would receive."""

import json
import re
import uuid

from . import history, iam
from .errors import AwsError
from .regions import partition_of

NAME = "sns"
NOT_RECORDED = ("Publish",)         # a data event
PROTOCOLS = ("default", "email", "email-json", "sms", "sqs", "lambda", "http", "https")
MAX_SIZE = 262144
DEDUPLICATION = 300.0


def invalid(text):
    return AwsError("InvalidParameter", f"Invalid parameter: {text}")


def subject(params):
    return {"topic": params["TopicArn"]} if isinstance(params.get("TopicArn"), str) else {}


def resource(call, params):
    """(action, resource) that IAM decides on; SNS writes its own name in capitals."""
    return f"SNS:{call.operation}", subject(params).get("topic", "*")


# -- topics ----------------------------------------------------------------------------------------------------------
def _topic(call, arn, action):
    """The topic, after IAM and the topic's own policy had their say."""
    parts = arn.split(":")
    if len(parts) < 6:
        raise invalid(f"TopicArn Reason: An ARN must have at least 6 elements, not {len(parts)}")
    if parts[2] != "sns" or parts[3] != call.region or parts[1] != partition_of(call.region):
        raise invalid("TopicArn")
    topic = call.state.topics.get(arn)
    call.authorize(f"SNS:{action}", arn, resource_policy=topic.policy if topic else None, owner=parts[4])
    if topic is None:
        raise AwsError("NotFound", "Topic does not exist", 404)
    return topic


def create_topic(call, params):
    arn = f"arn:{partition_of(call.region)}:sns:{call.region}:{call.principal.account}:{params['Name']}"
    call.authorize("SNS:CreateTopic", arn)
    attributes = params.get("Attributes", {})
    fifo = attributes.get("FifoTopic") == "true"
    if fifo != params["Name"].endswith(".fifo") or not re.fullmatch(r"[A-Za-z0-9_-]{1,256}(\.fifo)?", params["Name"]):
        raise invalid("Topic Name")
    if arn not in call.state.topics:
        call.state.add_topic(arn, attributes.get("ContentBasedDeduplication") == "true", subscriptions=[],
                             kms_key=attributes.get("KmsMasterKeyId"))
    return {"TopicArn": arn}


def delete_topic(call, params):
    """Idempotent: a topic that is not there is no error."""
    arn = params["TopicArn"]
    call.authorize("SNS:DeleteTopic", arn)
    if call.state.topics.pop(arn, None):
        call.state.gone.add(arn)
    return {}


def list_topics(call, _params):
    call.authorize("SNS:ListTopics", "*")
    return {"Topics": [{"TopicArn": topic.arn} for topic in call.state.topics.values()
                       if topic.account == call.principal.account and topic.region == call.region]}


def get_topic_attributes(call, params):
    topic = _topic(call, params["TopicArn"], "GetTopicAttributes")
    pending = sum(bool(one.get("pending")) for one in topic.subscriptions)
    attributes = {"TopicArn": topic.arn, "Owner": topic.account, "SubscriptionsPending": str(pending),
                  "SubscriptionsConfirmed": str(len(topic.subscriptions) - pending), "SubscriptionsDeleted": "0",
                  "Policy": json.dumps({"Version": "2012-10-17", "Statement": topic.policy})}
    if topic.kms_key:
        attributes["KmsMasterKeyId"] = topic.kms_key
    if topic.fifo:
        attributes.update(FifoTopic="true", ContentBasedDeduplication=str(topic.content_dedup).lower())
    return {"Attributes": attributes}


def subscribe(call, params):
    topic = _topic(call, params["TopicArn"], "Subscribe")
    if topic.fifo and params["Protocol"] in ("email", "email-json", "sms", "http", "https", "lambda"):
        raise invalid(f"Invalid protocol type: {params['Protocol']}")
    arn = f"{topic.arn}:{uuid.uuid4()}"
    topic.subscriptions.append({"arn": arn, "protocol": params["Protocol"], "endpoint": params.get("Endpoint", "")})
    return {"SubscriptionArn": arn}


def set_topic_attributes(call, params):
    topic = _topic(call, params["TopicArn"], "SetTopicAttributes")
    value = params.get("AttributeValue", "")
    if params["AttributeName"] == "Policy":
        topic.policy, topic.own_policy = iam.statements(json.loads(value)), True
    elif params["AttributeName"] == "KmsMasterKeyId":
        topic.kms_key = value or None
    else:
        raise invalid("AttributeName")
    return {}


def add_permission(call, params):
    topic = _topic(call, params["TopicArn"], "AddPermission")
    if any(statement.get("Sid") == params["Label"] for statement in topic.policy):
        raise invalid("Statement already exists")
    topic.policy = topic.policy + [{
        "Sid": params["Label"], "Effect": "Allow", "Principal": {"AWS": list(params["AWSAccountId"])},
        "Action": [f"SNS:{name}" for name in params["ActionName"]], "Resource": topic.arn}]
    return {}


def remove_permission(call, params):
    """Idempotent: a label that is not there is no error."""
    topic = _topic(call, params["TopicArn"], "RemovePermission")
    topic.policy = [statement for statement in topic.policy if statement.get("Sid") != params["Label"]]
    return {}


# -- subscriptions ---------------------------------------------------------------------------------------------------
def _arn(topic, one):
    """Of a subscription, also of one that a test made up; one that waits has none."""
    if one.get("pending"):
        return "PendingConfirmation"
    return one.setdefault("arn", f"{topic.arn}:{uuid.uuid5(uuid.NAMESPACE_URL, one['endpoint'])}")


def _subscription(call, params):
    """(topic, subscription)"""
    arn = params["SubscriptionArn"]
    topic = call.state.topics.get(arn.rpartition(":")[0])
    call.authorize(f"SNS:{call.operation}", "*")         # AWS lets nobody limit these to a subscription
    for one in topic.subscriptions if topic else ():
        if _arn(topic, one) == arn:
            return topic, one
    raise AwsError("NotFound", "Subscription does not exist", 404)


def list_subscriptions_by_topic(call, params):
    topic = _topic(call, params["TopicArn"], "ListSubscriptionsByTopic")
    start = int(params.get("NextToken") or 0)
    shown = topic.subscriptions[start:start + 100]
    more = {"NextToken": str(start + 100)} if start + 100 < len(topic.subscriptions) else {}
    return {"Subscriptions": [{"SubscriptionArn": _arn(topic, one), "Owner": topic.account, "Protocol": one["protocol"],
                               "Endpoint": one["endpoint"], "TopicArn": topic.arn} for one in shown], **more}


def get_subscription_attributes(call, params):
    topic, one = _subscription(call, params)
    return {"Attributes": {"SubscriptionArn": _arn(topic, one), "TopicArn": topic.arn, "Protocol": one["protocol"],
                           "Endpoint": one["endpoint"], "PendingConfirmation": "false", **one.get("attributes", {})}}


def set_subscription_attributes(call, params):
    _topic_of, one = _subscription(call, params)
    if params["AttributeName"] not in ("FilterPolicy", "FilterPolicyScope"):
        raise invalid("AttributeName")
    if params["AttributeName"] == "FilterPolicy" and params.get("AttributeValue"):
        json.loads(params["AttributeValue"])
    one.setdefault("attributes", {})[params["AttributeName"]] = params.get("AttributeValue", "")
    return {}


def unsubscribe(call, params):
    topic, one = _subscription(call, params)
    topic.subscriptions = [other for other in topic.subscriptions if other is not one]
    return {}


def event_resources(params, _result):
    arn = params.get("TopicArn") or params.get("SubscriptionArn", "").rpartition(":")[0]
    return [("AWS::SNS::Topic", arn)] if arn else []


# -- Publish ---------------------------------------------------------------------------------------------------------
def publish(call, params):
    if not params.get("TopicArn"):
        raise invalid("TopicArn or TargetArn Reason: no value for required parameter")
    topic = _topic(call, params["TopicArn"], "Publish")
    body, by_protocol = _message(params)
    _check_subject(params)
    attributes = _attributes(params.get("MessageAttributes", {}))
    size = len(body.encode()) + sum(len(name.encode()) + len(value["DataType"]) + len(_value(value))
                                    for name, value in attributes.items())
    if size > MAX_SIZE:
        raise invalid("Message too long")
    if topic.fifo:
        return _publish_fifo(call, topic, params, by_protocol, attributes)
    if "MessageDeduplicationId" in params:
        raise invalid("MessageDeduplicationId Reason: The request includes MessageDeduplicationId parameter that is "
                      "not valid for this topic type")
    _check_token("MessageGroupId", params)
    topic.published += 1
    return {"MessageId": _deliver(call, topic, params, by_protocol, attributes)["MessageId"]}


def _check_token(name, params):
    """MessageGroupId and MessageDeduplicationId: 1 to 128 letters, digits and punctuation."""
    if name in params and not re.fullmatch(r"[!-~]{1,128}", params[name]):
        raise invalid(f"The {name} can only include alphanumeric and punctuation characters and be up to 128 characters.")


def _publish_fifo(call, topic, params, by_protocol, attributes):
    if "MessageGroupId" not in params:
        raise invalid("The MessageGroupId parameter is required for FIFO topics")
    _check_token("MessageGroupId", params)
    _check_token("MessageDeduplicationId", params)
    token = params.get("MessageDeduplicationId") or (params["Message"] if topic.content_dedup else None)
    if token is None:
        raise invalid("The topic should either have ContentBasedDeduplication enabled or MessageDeduplicationId "
                      "provided explicitly")
    now = call.state.now()
    topic.published += 1
    then, earlier = topic.seen.get(token, (None, None))
    if then is not None and now - then < DEDUPLICATION:
        return {"MessageId": earlier["MessageId"], "SequenceNumber": earlier["SequenceNumber"]}
    topic.sequence += 1
    message = _deliver(call, topic, params, by_protocol, attributes, str(topic.sequence))
    topic.seen[token] = (now, message)
    return {"MessageId": message["MessageId"], "SequenceNumber": message["SequenceNumber"]}


def _unique(pairs):
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("a key comes twice")
    return result


def _message(params):
    """(the raw message, {protocol: text})."""
    body = params["Message"]
    if body == "":
        raise invalid("Empty message")
    if "MessageStructure" not in params:
        return body, {protocol: body for protocol in PROTOCOLS}
    if params["MessageStructure"] != "json":
        raise invalid("MessageStructure")
    try:
        document = json.loads(body, object_pairs_hook=_unique)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise invalid("Message Structure - JSON message body failed to parse")
    if not isinstance(document.get("default"), str):
        raise invalid("Message Structure - No default entry in JSON message body")
    texts = {name: text for name, text in document.items() if isinstance(text, str)}
    return body, {protocol: texts.get(protocol, texts["default"]) for protocol in PROTOCOLS}


def _check_subject(params):
    """ASCII, under 100 characters, beginning with a letter, digit or punctuation mark, no control characters."""
    if "Subject" in params and not re.fullmatch(r"[!-~][ -~]{0,98}", params["Subject"]):
        raise invalid("Subject")


def _value(attribute):
    value = attribute.get("BinaryValue", attribute.get("StringValue", ""))
    return value if isinstance(value, bytes) else value.encode()


def _attributes(attributes):
    for name, attribute in attributes.items():
        if not re.fullmatch(r"(?!(?i:aws|amazon)\.)[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*", name) or len(name) > 256:
            raise AwsError("ParameterValueInvalid", f"Invalid parameter name: {name}")
        kind = attribute["DataType"]
        if kind.split(".")[0] not in ("String", "Number", "Binary"):
            raise AwsError("ParameterValueInvalid", f"The message attribute '{name}' has an invalid message attribute "
                           "type, the set of supported type prefixes is Binary, Number, and String.")
        if not _value(attribute) or (kind.startswith("Binary") == ("StringValue" in attribute)):
            raise AwsError("ParameterValueInvalid", f"The message attribute '{name}' must contain non-empty message "
                           f"attribute value for message attribute type '{kind}'.")
        if kind.split(".")[0] == "Number" and not re.fullmatch(r"-?\d+(\.\d+)?([eE][-+]?\d+)?", attribute["StringValue"]):
            raise AwsError("ParameterValueInvalid", f"Could not cast message attribute '{name}' value to number.")
        if kind == "String.Array" and not _is_array(attribute["StringValue"]):
            raise AwsError("ParameterValueInvalid", f"The message attribute '{name}' is not a JSON array.")
    return attributes


def _is_array(text):
    try:
        return isinstance(json.loads(text), list)
    except ValueError:
        return False


def _deliver(call, topic, params, by_protocol, attributes, sequence=None):
    """Record the message with what subscribers of each protocol would get."""
    now = call.state.now()
    message = {
        "MessageId": str(uuid.uuid4()), "TopicArn": topic.arn, "Subject": params.get("Subject"),
        "Message": params["Message"], "MessageStructure": params.get("MessageStructure"),
        "MessageAttributes": {name: {"Type": value["DataType"], "Value": _value(value).decode("latin-1" if
                              "BinaryValue" in value else "utf-8")} for name, value in attributes.items()},
        "MessageGroupId": params.get("MessageGroupId"),
        "MessageDeduplicationId": params.get("MessageDeduplicationId"), "SequenceNumber": sequence,
        "Timestamp": history.iso(now), "Publisher": call.principal.arn, "number": topic.published,
    }
    message["received"] = {protocol: _render(protocol, by_protocol[protocol], message) for protocol in PROTOCOLS
                           if protocol != "default"}
    topic.messages.append(message)
    return message


def _render(protocol, text, message):
    if protocol == "email":
        return {"Subject": message["Subject"] or "AWS Notification Message", "Body": text}
    if protocol == "sms":
        return text
    envelope = {"Type": "Notification", "MessageId": message["MessageId"], "TopicArn": message["TopicArn"],
                "Message": text, "Timestamp": message["Timestamp"], "SignatureVersion": "1",
                "MessageAttributes": message["MessageAttributes"]}
    if message["Subject"]:
        envelope["Subject"] = message["Subject"]
    return envelope


OPERATIONS = {
    "AddPermission": add_permission, "RemovePermission": remove_permission,
    "CreateTopic": create_topic, "DeleteTopic": delete_topic, "GetTopicAttributes": get_topic_attributes,
    "ListTopics": list_topics, "Publish": publish, "Subscribe": subscribe, "SetTopicAttributes": set_topic_attributes,
    "ListSubscriptionsByTopic": list_subscriptions_by_topic, "GetSubscriptionAttributes": get_subscription_attributes,
    "SetSubscriptionAttributes": set_subscription_attributes, "Unsubscribe": unsubscribe,
}

# SPDX-License-Identifier: Apache-2.0
"""The decision that IAM takes on a call, in one place: identity policies, service control policies, session
policies and resource policies. Every statement that decided something is counted, so that a test can show that a
policy holds no statement too many."""

import re
import time

ALLOW_ALL = [{"Sid": "Administrator", "Effect": "Allow", "Action": "*", "Resource": "*"}]


def as_list(value):
    return value if isinstance(value, list) else [value]


def glob(pattern, text, fold=False):
    """IAM's own wildcards: * and ? only."""
    pattern = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(pattern, text, re.IGNORECASE if fold else 0) is not None


def _equals(pattern, text):
    return pattern == text


OPERATORS = {    # name: (test of one pattern against one value, negated)
    "StringEquals": (_equals, False), "StringNotEquals": (_equals, True),
    "StringLike": (glob, False), "StringNotLike": (glob, True),
    "ArnEquals": (glob, False), "ArnNotEquals": (glob, True),
    "ArnLike": (glob, False), "ArnNotLike": (glob, True),
    "DateLessThan": (lambda pattern, text: text < pattern, False),      # both in ISO 8601 with Z
    "Bool": (lambda pattern, text: pattern.lower() == text.lower(), False),
}
MOST_CASES = 2000
ELEMENTS = {"Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Principal", "NotPrincipal", "Condition"}


def statements(policy):
    """The statements of a policy given as a document, as a list or as one statement; refuses what it cannot judge,
    for a condition that is silently ignored would make a test lie."""
    if isinstance(policy, dict):
        policy = policy.get("Statement", policy)
    result = []
    for statement in as_list(policy):
        unknown = set(statement) - ELEMENTS
        if unknown:
            raise ValueError(f"policy element not simulated: {', '.join(sorted(unknown))}")
        if statement.get("Effect") not in ("Allow", "Deny"):
            raise ValueError("a statement needs Effect Allow or Deny")
        if "Action" not in statement and "NotAction" not in statement:
            raise ValueError("a statement needs Action or NotAction")
        for operator in statement.get("Condition", {}):
            if operator.removesuffix("IfExists") not in OPERATORS:
                raise ValueError(f"condition operator not simulated: {operator}")
        result.append(statement)
    return result


def condition_holds(statement, context):
    for operator, tests in statement.get("Condition", {}).items():
        name = operator.removesuffix("IfExists")
        test, negated = OPERATORS[name]
        for key, patterns in tests.items():
            value = context.get(key.lower())
            if value is None:
                if negated or operator.endswith("IfExists"):
                    continue
                return False
            matched = any(test(str(pattern), value) for pattern in as_list(patterns))
            if matched == negated:
                return False
    return True


def _principal_matches(statement, principal):
    if "NotPrincipal" in statement:
        return not _principal_matches({"Principal": statement["NotPrincipal"]}, principal)
    if "Principal" not in statement:
        return True
    wanted = statement["Principal"]
    if wanted == "*":
        return True
    for name in as_list(wanted.get("AWS", [])):
        root = f"arn:{principal.partition}:iam::{principal.account}:root"
        if name in ("*", principal.account, root, principal.arn, principal.issuer_arn):
            return True
    return False


def _names(statement, principal):
    """Whether a resource policy's statement names this principal itself. One that names the account only hands the
    decision to the account's identity policies."""
    wanted = statement.get("Principal")
    names = as_list(wanted.get("AWS", [])) if isinstance(wanted, dict) else [wanted]
    return any(name in ("*", principal.arn, principal.issuer_arn) for name in names)


def matches(statement, principal, action, resource, context):
    if not _principal_matches(statement, principal) or not condition_holds(statement, context):
        return False
    if "Action" in statement:
        if not any(glob(pattern, action, fold=True) for pattern in as_list(statement["Action"])):
            return False
    elif any(glob(pattern, action, fold=True) for pattern in as_list(statement["NotAction"])):
        return False
    if "NotResource" in statement:
        return not any(glob(pattern, resource) for pattern in as_list(statement["NotResource"]))
    return any(glob(pattern, resource) for pattern in as_list(statement.get("Resource", "*")))


class Decision:
    def __init__(self, allowed, why, statement=None):
        self.allowed = allowed
        self.why = why              # the tail of AWS's AccessDenied text
        self.statement = statement


class Judge:
    """Evaluates calls and remembers which statement decided each."""

    def __init__(self):
        self.used = {}      # (principal ARN, policy kind, Sid or index, effect) -> {"count", "actions"}
        self.denied = []    # {"principal", "action", "resource", "why"}
        self.cases = {}     # (principal ARN, action, resource, why not) -> all that the decision was made from
        self.attached = {}  # ARN of a user or role -> {name or ARN of a policy: its statements}, see users.py
        self.boundaries = {}  # ARN of a user or role -> (ARN of its permissions boundary, the statements)

    def within_boundary(self, principal, *arguments):
        """Whether the permissions boundary, if there is one, allows it."""
        _arn, boundary = self.boundaries.get(principal.issuer_arn, (None, None))
        return boundary is None or self._find("Allow", "permissions boundary", boundary, principal, *arguments) is not None

    def _find(self, effect, kind, policy, principal, action, resource, context):
        for index, statement in enumerate(policy or []):
            if statement["Effect"] == effect and matches(statement, principal, action, resource, context):
                key = (principal.issuer_arn, kind, statement.get("Sid", str(index)), effect)
                entry = self.used.setdefault(key, {"count": 0, "actions": set()})
                entry["count"] += 1
                entry["actions"].add(action)
                return statement
        return None

    def evaluate(self, principal, action, resource, scp=None, resource_policy=None, owner=None, context=None,
                 resource_must_allow=False):
        """Decide one call. `owner` is the account of the resource: another account's resource needs both an
        identity policy and a resource policy that allow; one's own needs either, and a role always needs its trust
        policy (`resource_must_allow`)."""
        context = dict(context or {})
        context.setdefault("aws:principalarn", principal.issuer_arn)
        context.setdefault("aws:principalaccount", principal.account)
        if principal.issued:
            context.setdefault("aws:tokenissuetime", time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(principal.issued)))
        own = principal.policy + sum(self.attached.get(principal.issuer_arn, {}).values(), [])
        decision = self._decide(principal, action, resource, own, scp, resource_policy, owner, context, resource_must_allow)
        if len(self.cases) < MOST_CASES:
            self.cases.setdefault((principal.arn, action, resource, decision.why), {
                "principal": principal.arn, "action": action, "resource": resource, "owner": owner or principal.account,
                "context": context, "identity": own, "session": principal.session_policy, "scp": scp,
                "boundary": self.boundaries.get(principal.issuer_arn, (None, None))[1],
                "resource_policy": resource_policy, "allowed": decision.allowed})
        return decision

    def _decide(self, principal, action, resource, own, scp, resource_policy, owner, context, resource_must_allow):
        policies = [("service control policy", scp), ("identity-based policy", own),
                    ("session policy", principal.session_policy), ("resource-based policy", resource_policy)]
        arguments = (principal, action, resource, context)
        for kind, policy in policies:
            if self._find("Deny", kind, policy, *arguments):
                article = "an" if kind[0] in "aeiou" else "a"
                return self._refuse(principal, action, resource, f"with an explicit deny in {article} {kind}")
        if scp and not self._find("Allow", "service control policy", scp, *arguments):
            return self._refuse(principal, action, resource,
                                f"because no service control policy allows the {action} action")
        by_resource = self._find("Allow", "resource-based policy", resource_policy, *arguments)
        by_identity = self._find("Allow", "identity-based policy", own, *arguments)
        if by_identity and principal.session_policy is not None:
            if not self._find("Allow", "session policy", principal.session_policy, *arguments):
                return self._refuse(principal, action, resource,
                                    f"because no session policy allows the {action} action")
        if by_identity and not self.within_boundary(*arguments):
            return self._refuse(principal, action, resource, f"because no permissions boundary allows the {action} action")
        foreign = owner is not None and owner != principal.account
        if not by_identity and (foreign or not by_resource or not _names(by_resource, principal)):
            return self._refuse(principal, action, resource,
                                f"because no identity-based policy allows the {action} action")
        if (foreign or resource_must_allow) and not by_resource:
            return self._refuse(principal, action, resource,
                                f"because no resource-based policy allows the {action} action")
        return Decision(True, "", by_identity or by_resource)

    def _refuse(self, principal, action, resource, why):
        self.denied.append({"principal": principal.arn, "action": action, "resource": resource, "why": why})
        return Decision(False, why)

    def report(self):
        return {"used": [{"principal": key[0], "policy": key[1], "statement": key[2], "effect": key[3],
                          "count": entry["count"], "actions": sorted(entry["actions"])}
                         for key, entry in sorted(self.used.items())],
                "denied": list(self.denied), "cases": list(self.cases.values())}


def denied_text(principal, action, resource, why):
    """AWS's own words. A call that cannot be limited to a resource names none."""
    where = "" if resource == "*" else f" on resource: {resource}"
    return f"User: {principal.arn} is not authorized to perform: {action}{where} {why}"

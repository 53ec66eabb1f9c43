// SPDX-License-Identifier: Apache-2.0
// Comes by credentials as the AWS SDK for JavaScript does, case after case, for test_credentials_oracle.py: the same
// lines in and out as credentials_helper. usage: node oracle_keys.mjs NODE_MODULES
import { createHash } from "node:crypto";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const require = createRequire(process.argv[2] + "/");
const { defaultProvider } = require("@aws-sdk/credential-provider-node");

async function roleAssumer(source, role) {
  const said = [source.accessKeyId, role.RoleArn, role.ExternalId ?? "", String(role.DurationSeconds ?? 3600)];
  const key = createHash("sha256").update(said.join("|")).digest("hex");
  return { accessKeyId: key, secretAccessKey: "s", sessionToken: "t", expiration: new Date("2099-01-01T00:00:00Z") };
}

async function answer({ environment }) {
  for (const name of Object.keys(process.env)) delete process.env[name];
  Object.assign(process.env, environment);
  try {
    const k = await defaultProvider({ roleAssumer })();
    const expires = k.expiration ? Math.floor(k.expiration.getTime() / 1000) : 0;
    return { key: k.accessKeyId, secret: k.secretAccessKey, token: k.sessionToken || null, expires };
  } catch (error) {
    return { message: String(error.message) };
  }
}

for await (const line of createInterface({ input: process.stdin }))
  process.stdout.write(JSON.stringify(await answer(JSON.parse(line))) + "\n");

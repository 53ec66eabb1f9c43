// SPDX-License-Identifier: Apache-2.0
// The endpoints that the AWS SDK for JavaScript makes by the rule sets of its clients, for test_endpoints.py.
// usage: node oracle_endpoints.mjs NODE_MODULES BUCKET...
// Prints {"regions": {PARTITION: [REGION, ...]}, "urls": [[PARTITION, REGION, WHAT, KIND, URL or null, why not], ...]};
// WHAT is a service or a bucket.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const [place, ...buckets] = process.argv.slice(2);
const require = createRequire(place + "/");
const table = place + "/node_modules/@aws-sdk/core/dist-es/submodules/client/util-endpoints/lib/aws/partitions.js";
const { partitionsInfo } = await import("data:text/javascript," + encodeURIComponent(readFileSync(table, "utf8")));
const clients = {
  account: require("@aws-sdk/client-account").AccountClient,
  cloudtrail: require("@aws-sdk/client-cloudtrail").CloudTrailClient,
  kms: require("@aws-sdk/client-kms").KMSClient,
  organizations: require("@aws-sdk/client-organizations").OrganizationsClient,
  s3: require("@aws-sdk/client-s3").S3Client,
  sns: require("@aws-sdk/client-sns").SNSClient,
  sts: require("@aws-sdk/client-sts").STSClient,
};
const KINDS = { plain: [false, false], fips: [true, false], dual: [false, true], "fips+dual": [true, true] };

const regions = {}, urls = [];
for (const { id, regions: known } of partitionsInfo.partitions)
  regions[id] = Object.keys(known).filter((region) => !region.endsWith("-global"));

const resolvers = Object.entries(clients).map(([name, Client]) => [name, new Client({ region: "us-east-1" }).config.endpointProvider, {}]);
for (const bucket of buckets)
  resolvers.push([bucket, resolvers.find(([name]) => name === "s3")[1], { Bucket: bucket }]);

for (const [id, names] of Object.entries(regions))
  for (const Region of names)
    for (const [what, resolve, more] of resolvers)
      for (const [kind, [UseFIPS, UseDualStack]] of Object.entries(KINDS)) {
        let url = null, why = "";
        try {
          url = resolve({ Region, UseFIPS, UseDualStack, ...more }).url.href;
        } catch (error) {
          why = String(error.message);
        }
        urls.push([id, Region, what, kind, url, why]);
      }
process.stdout.write(JSON.stringify({ regions, urls }));

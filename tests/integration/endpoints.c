/* SPDX-License-Identifier: Apache-2.0 */
/* Prints every URL that lib/endpoint makes, one a line: partition, region, service or bucket, kind of host,
 * URL or "-". Built and read by test_endpoints.py. Arguments: names of buckets. */
#include <stdio.h>

#include "lib/endpoint.h"

static const char *const kinds[] = { "plain", "fips", "dual", "fips+dual" };

static void print(const Partition *partition, const char *region, AwsService service, const char *bucket) {
    for (unsigned kind = 0; kind < sizeof(kinds) / sizeof(kinds[0]); kind++) {
        _cleanup_strbuf_ StrBuf url = STRBUF_INIT(300);
        EndpointOverrides o = { .fips = kind & 1, .dual_stack = kind & 2 };
        int r = bucket ? endpoint_bucket_url(&o, bucket, region, &url)
                       : endpoint_url(&o, service, region, &url);

        printf("%s %s %s %s %s\n", partition->id, region, bucket ? bucket : endpoint_service_name(service),
               kinds[kind], r < 0 ? "-" : strbuf_str(&url));
    }
}

int main(int argc, char **argv) {
    static const char *const partitions[] = { "aws",       "aws-cn",    "aws-us-gov", "aws-iso",
                                              "aws-iso-b", "aws-iso-e", "aws-iso-f",  "aws-eusc" };

    for (size_t i = 0; i < sizeof(partitions) / sizeof(partitions[0]); i++) {
        const Partition *partition = endpoint_partition_by_id(partitions[i]);

        for (const char *const *region = partition->regions; *region; region++) {
            for (AwsService service = 0; service < _AWS_SERVICE_MAX; service++)
                print(partition, *region, service, NULL);
            for (int bucket = 1; bucket < argc; bucket++)
                print(partition, *region, AWS_S3, argv[bucket]);
        }
    }
    return 0;
}

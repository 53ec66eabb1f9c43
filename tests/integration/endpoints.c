/* SPDX-License-Identifier: Apache-2.0 */
/* Prints every URL that lib/endpoint makes, one a line: partition, region, service, kind of host, URL. Built
 * and read by test_endpoints.py. Arguments: the ids of the partitions. */
#include <stdio.h>

#include "lib/endpoint.h"

static int print(const Partition *partition, const char *region, AwsService service, unsigned kind) {
    static const char *const kinds[] = { "plain", "fips", "dual", "fips+dual" };
    _cleanup_strbuf_ StrBuf url = STRBUF_INIT(300);
    EndpointOverrides o = { .fips = kind & 1, .dual_stack = kind & 2 };
    int r = endpoint_url(&o, service, region, &url);

    printf("%s %s %s %s %s\n", partition->id, region, endpoint_service_name(service), kinds[kind],
           strbuf_str(&url));
    return r;
}

int main(int argc, char **argv) {
    static const AwsService services[] = { AWS_CLOUDTRAIL, AWS_SNS, AWS_STS };
    int r = 0;

    for (int i = 1; i < argc; i++) {
        const Partition *partition = endpoint_partition_by_id(argv[i]);

        if (!partition) {
            fprintf(stderr, "no partition %s\n", argv[i]);
            return 1;
        }
        for (const char *const *region = partition->regions; *region; region++)
            for (size_t s = 0; s < sizeof(services) / sizeof(services[0]); s++)
                for (unsigned kind = 0; kind < 4; kind++)
                    r |= print(partition, *region, services[s], kind);
    }
    return r < 0;
}

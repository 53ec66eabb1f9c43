/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/endpoint.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "lib/util/macros.h"
#include "lib/util/text.h"

#define DIGITS "0123456789"
#define LOWER  "abcdefghijklmnopqrstuvwxyz"
#define UPPER  "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

/* ---- partitions and regions ---- */

/* The regions enabled in every account come first, then the opt-in ones. */
#define N_DEFAULT_REGIONS 17
static const char *const regions_aws[] = {
    "us-east-1",      "us-east-2",      "us-west-1",      "us-west-2",      "ca-central-1",
    "sa-east-1",      "eu-west-1",      "eu-west-2",      "eu-west-3",      "eu-central-1",
    "eu-north-1",     "ap-south-1",     "ap-northeast-1", "ap-northeast-2", "ap-northeast-3",
    "ap-southeast-1", "ap-southeast-2",

    "af-south-1",     "ap-east-1",      "ap-east-2",      "ap-south-2",     "ap-southeast-3",
    "ap-southeast-4", "ap-southeast-5", "ap-southeast-6", "ap-southeast-7", "ca-west-1",
    "eu-central-2",   "eu-south-1",     "eu-south-2",     "il-central-1",   "me-central-1",
    "me-south-1",     "me-west-1",      "mx-central-1",   "sa-west-1",      NULL,
};
static const char *const regions_cn[] = { "cn-north-1", "cn-northwest-1", NULL };
static const char *const regions_gov[] = { "us-gov-west-1", "us-gov-east-1", NULL };
static const char *const regions_iso[] = { "us-iso-east-1", "us-iso-west-1", NULL };
static const char *const regions_iso_b[] = { "us-isob-east-1", "us-isob-west-1", NULL };
static const char *const regions_iso_e[] = { "eu-isoe-west-1", NULL };
static const char *const regions_iso_f[] = { "us-isof-south-1", "us-isof-east-1", NULL };
static const char *const regions_eusc[] = { "eusc-de-east-1", NULL };

/* A region's name is one of its partition's areas, a word and a number: us-gov - west - 1. */
#define AREAS_MAX 10
typedef struct PartitionRow {
    Partition partition;
    const char *areas[AREAS_MAX];
} PartitionRow;

/* The most specific areas first. */
static const PartitionRow partitions[] = {
    { { "aws-us-gov", "amazonaws.com", "api.aws", FIPS_BY_SERVICE, "us-gov-west-1", regions_gov },
      { "us-gov" } },
    { { "aws-iso", "c2s.ic.gov", "api.aws.ic.gov", FIPS_BY_NAME, "us-iso-east-1", regions_iso },
      { "us-iso" } },
    { { "aws-iso-b", "sc2s.sgov.gov", "api.aws.scloud", FIPS_BY_NAME, "us-isob-east-1", regions_iso_b },
      { "us-isob" } },
    { { "aws-iso-e", "cloud.adc-e.uk", "api.cloud-aws.adc-e.uk", FIPS_BY_NAME, "eu-isoe-west-1",
        regions_iso_e },
      { "eu-isoe" } },
    { { "aws-iso-f", "csp.hci.ic.gov", "api.aws.hci.ic.gov", FIPS_BY_NAME, "us-isof-south-1",
        regions_iso_f },
      { "us-isof" } },
    { { "aws-eusc", "amazonaws.eu", "api.amazonwebservices.eu", FIPS_BY_NAME, "eusc-de-east-1",
        regions_eusc },
      { "eusc-de" } },
    { { "aws-cn", "amazonaws.com.cn", "api.amazonwebservices.com.cn", FIPS_NONE, "cn-northwest-1",
        regions_cn },
      { "cn" } },
    { { "aws", "amazonaws.com", "api.aws", FIPS_BY_NAME, "us-east-1", regions_aws },
      { "us", "eu", "ap", "sa", "ca", "me", "af", "il", "mx" } },
};

#define REGION_LEN_MAX 31

/* AREA-word-digits, nothing after it. */
static bool region_fits(const char *region, const char *area) {
    size_t n;

    if (!text_starts_with(region, area))
        return false;
    region += strlen(area);
    if (*region++ != '-')
        return false;

    n = strspn(region, LOWER DIGITS);
    if (n == 0 || region[n] != '-')
        return false;
    region += n + 1;

    n = strspn(region, DIGITS);
    return n > 0 && region[n] == '\0';
}

const Partition *endpoint_partition_of(const char *region) {
    if (!region || strlen(region) > REGION_LEN_MAX)
        return NULL;

    for (size_t i = 0; i < ARRAY_SIZE(partitions); i++)
        for (size_t a = 0; a < AREAS_MAX && partitions[i].areas[a]; a++)
            if (region_fits(region, partitions[i].areas[a]))
                return &partitions[i].partition;
    return NULL;
}

const Partition *endpoint_partition_by_id(const char *id) {
    for (size_t i = 0; i < ARRAY_SIZE(partitions); i++)
        if (text_equal(partitions[i].partition.id, id))
            return &partitions[i].partition;
    return NULL;
}

bool endpoint_region_is_valid(const char *region) {
    return endpoint_partition_of(region);
}

const char *endpoint_region_nearest(const char *text) {
    TextNearest nearest = { .text = text };

    for (size_t i = 0; i < ARRAY_SIZE(partitions); i++)
        for (const char *const *region = partitions[i].partition.regions; *region; region++)
            text_nearest(&nearest, *region);
    return nearest.best;
}

bool endpoint_region_is_opt_in(const char *region) {
    const Partition *partition = endpoint_partition_of(region);

    if (!partition || partition->regions != regions_aws)
        return false;
    for (size_t i = 0; i < N_DEFAULT_REGIONS; i++)
        if (text_equal(regions_aws[i], region))
            return false;
    return true;
}

/* ---- URLs ---- */

typedef struct Url {
    bool tls;
    const char *host; /* including brackets; not NUL-terminated */
    size_t host_len;
    unsigned port; /* 0 if the URL has none */
} Url;

static bool take_scheme(const char **s, bool *ret_tls) {
    if (text_starts_with(*s, "https://")) {
        *s += strlen("https://");
        *ret_tls = true;
        return true;
    }
    if (text_starts_with(*s, "http://")) {
        *s += strlen("http://");
        *ret_tls = false;
        return true;
    }
    return false;
}

/* The host as text for inet_pton(), without brackets. */
static bool copy_host(const char *host, size_t len, char *dst, size_t size) {
    if (len >= size)
        return false;
    memcpy(dst, host, len);
    dst[len] = '\0';
    return true;
}

static size_t host_length(const char *s) {
    char literal[INET6_ADDRSTRLEN];
    struct in6_addr address;
    size_t n;

    if (*s != '[') {
        n = strspn(s, LOWER UPPER DIGITS ".-_");
        return n <= 253 ? n : 0;
    }

    n = strcspn(s, "]");
    if (s[n] != ']' || !copy_host(s + 1, n - 1, literal, sizeof(literal)) ||
        inet_pton(AF_INET6, literal, &address) != 1)
        return 0;
    return n + 1;
}

/* ":8443"; 0 if there is none. */
static bool take_port(const char **s, unsigned *ret) {
    unsigned port = 0;
    size_t n;

    if (**s != ':') {
        *ret = 0;
        return true;
    }
    (*s)++;
    n = strspn(*s, DIGITS);
    if (n == 0 || n > 5)
        return false;
    for (; n > 0; n--, (*s)++)
        port = port * 10 + (unsigned)(**s - '0');
    *ret = port;
    return port >= 1 && port <= 65535;
}

/* The part after the authority: nothing or a path, without query and fragment. */
static bool path_is_valid(const char *s) {
    if (*s != '\0' && *s != '/')
        return false;
    for (; *s; s++)
        if (*s <= ' ' || *s >= 0x7f || strchr("?#\\\"<>", *s))
            return false;
    return true;
}

static bool parse_url(const char *s, Url *ret) {
    Url url = { 0 };

    if (!s || !take_scheme(&s, &url.tls))
        return false;
    url.host = s;
    url.host_len = host_length(s);
    if (url.host_len == 0)
        return false;
    s += url.host_len;
    if (!take_port(&s, &url.port) || !path_is_valid(s))
        return false;
    *ret = url;
    return true;
}

static bool is_loopback(const Url *url) {
    char host[64];
    struct in_addr address;
    struct in6_addr address6;

    if (url->host[0] == '[')
        return copy_host(url->host + 1, url->host_len - 2, host, sizeof(host)) &&
               inet_pton(AF_INET6, host, &address6) == 1 && IN6_IS_ADDR_LOOPBACK(&address6);

    if (!copy_host(url->host, url->host_len, host, sizeof(host)))
        return false;
    return text_equal(host, "localhost") ||
           (inet_pton(AF_INET, host, &address) == 1 && ntohl(address.s_addr) >> 24 == 127);
}

bool endpoint_override_is_valid(const char *url) {
    Url parsed;

    return parse_url(url, &parsed) && (parsed.tls || is_loopback(&parsed));
}

int endpoint_host(const char *url, StrBuf *ret) {
    Url parsed;

    if (!parse_url(url, &parsed))
        return -EINVAL;

    (void)strbuf_add_mem(ret, parsed.host, parsed.host_len);
    if (parsed.port != 0 && parsed.port != (parsed.tls ? 443 : 80))
        (void)strbuf_addf(ret, ":%u", parsed.port);
    return strbuf_error(ret);
}

/* ---- proxies ---- */

/* Skips "http://" and USER:PASSWORD@. NULL for another scheme, or characters in the user part that a URL
 * cannot contain. */
static const char *proxy_authority(const char *proxy) {
    const char *at;

    if (text_starts_with(proxy, "http://"))
        proxy += strlen("http://");
    at = strchr(proxy, '@');
    if (!at)
        return proxy;
    if (strspn(proxy, LOWER UPPER DIGITS "-._~%!$&'()*+,;=:") != (size_t)(at - proxy))
        return NULL;
    return at + 1;
}

bool endpoint_proxy_is_valid(const char *proxy) {
    const char *s = proxy ? proxy_authority(proxy) : NULL;
    size_t host_len = s ? host_length(s) : 0;
    unsigned port;

    if (host_len == 0)
        return false;
    s += host_len;
    return take_port(&s, &port) && port != 0 && s[s[0] == '/'] == '\0';
}

bool endpoint_proxy_has_user(const char *proxy) {
    return proxy && strchr(proxy, '@');
}

/* ---- containers ---- */

static bool is_container_host(const Url *url) {
    static const char *const hosts[] = { "169.254.170.2", "169.254.170.23" };
    static const char address6_text[] = "fd00:ec2::23";
    struct in6_addr address6, allowed6;
    char host[64];

    if (url->host[0] == '[')
        return copy_host(url->host + 1, url->host_len - 2, host, sizeof(host)) &&
               inet_pton(AF_INET6, host, &address6) == 1 &&
               inet_pton(AF_INET6, address6_text, &allowed6) == 1 &&
               memcmp(&address6, &allowed6, sizeof(address6)) == 0;
    if (!copy_host(url->host, url->host_len, host, sizeof(host)))
        return false;
    for (size_t i = 0; i < ARRAY_SIZE(hosts); i++)
        if (text_equal(host, hosts[i]))
            return true;
    return false;
}

/* Parses a URL with a query. The query is checked separately, because parse_url does not accept one. */
static bool parse_with_query(const char *url, char address[static 1024], Url *ret) {
    size_t n = strcspn(url, "?");

    if (!copy_host(url, n, address, 1024) || !parse_url(address, ret))
        return false;
    for (const char *s = url + n; *s; s++)
        if (*s <= ' ' || *s >= 0x7f || *s == '#')
            return false;
    return true;
}

bool endpoint_container_is_allowed(const char *url) {
    char address[1024];
    Url parsed;

    return parse_with_query(url, address, &parsed) &&
           (parsed.tls || is_loopback(&parsed) || is_container_host(&parsed));
}

bool endpoint_hook_is_valid(const char *url) {
    char address[1024];
    Url parsed;

    return parse_with_query(url, address, &parsed) && (parsed.tls || is_loopback(&parsed));
}

const char *endpoint_path(const char *url) {
    const char *host = strstr(url, "://");
    const char *path = strchr(host ? host + strlen("://") : url, '/');

    return path ? path : "/";
}

/* ---- services ---- */

/* Which hosts of a service have "-fips" in their name in us-gov, the partition of FIPS_BY_SERVICE. */
typedef enum GovFips {
    GOV_FIPS_DUAL,  /* dual-stack ones; the plain names of the others are FIPS hosts */
    GOV_FIPS_NAMED, /* all */
    GOV_FIPS_PLAIN, /* none */
} GovFips;

static const struct {
    const char *name;
    bool one_a_partition;
    GovFips gov;
} services[_AWS_SERVICE_MAX] = {
    [AWS_CLOUDTRAIL] = { "cloudtrail", false, GOV_FIPS_DUAL },
    [AWS_SNS] = { "sns", false, GOV_FIPS_DUAL },
    [AWS_STS] = { "sts", false, GOV_FIPS_DUAL },
    [AWS_KMS] = { "kms", false, GOV_FIPS_NAMED },
    [AWS_S3] = { "s3", false, GOV_FIPS_NAMED },
    [AWS_ORGANIZATIONS] = { "organizations", true, GOV_FIPS_PLAIN },
    [AWS_ACCOUNT] = { "account", true, GOV_FIPS_NAMED },
    [AWS_IAM] = { "iam", true, GOV_FIPS_PLAIN },
};

const char *endpoint_service_name(AwsService service) {
    return services[service].name;
}

/* Only China has IAM and Organizations in two regions. */
const char *endpoint_iam_region(const char *region) {
    const Partition *partition = endpoint_partition_of(region);

    if (!partition)
        return NULL;
    return partition->regions == regions_cn ? "cn-north-1" : partition->default_region;
}

const char *endpoint_service_region(AwsService service, const char *region) {
    const Partition *partition = endpoint_partition_of(region);

    if (!partition)
        return NULL;
    if (service == AWS_IAM)
        return endpoint_iam_region(region);
    return services[service].one_a_partition ? partition->default_region : region;
}

static bool is_set(const char *s) {
    return s && *s;
}

static const char *override_for(const EndpointOverrides *overrides, AwsService service) {
    if (!overrides)
        return NULL;
    if (is_set(overrides->file_url))
        return overrides->file_url;
    if (is_set(overrides->service_url[service]))
        return overrides->service_url[service];
    return is_set(overrides->url) ? overrides->url : NULL;
}

/* True if calls to the service go to an override. overrides may be NULL. */
static bool says_fips(const Partition *partition, AwsService service, bool dual_stack) {
    if (partition->fips != FIPS_BY_SERVICE)
        return true;
    return services[service].gov == GOV_FIPS_NAMED || (services[service].gov == GOV_FIPS_DUAL && dual_stack);
}

/* The part between "iam" and the partition's suffix: most partitions have IAM in one region, these in
 * none. */
static const char *iam_label(const Partition *partition, const char *region, bool dual_stack) {
    if (partition->regions == regions_gov)
        return ".us-gov";
    if (partition->regions == regions_aws)
        return dual_stack ? ".global" : "";
    return partition->regions == regions_cn && dual_stack ? ".global" : region;
}

/* Appends AWS's own host for calls of service for region, ignoring overrides. -EINVAL for an unknown region,
 * and for FIPS in a partition without it: China. */
static int endpoint_add_aws_host(const EndpointOverrides *overrides, AwsService service, const char *region,
                                 StrBuf *ret) {
    const Partition *partition = endpoint_partition_of(region);
    bool dual_stack = overrides && overrides->dual_stack, fips = overrides && overrides->fips;
    /* S3 keeps the plain suffix for dual-stack hosts, and has "dualstack" in the name */
    bool by_label = dual_stack && service == AWS_S3;
    const char *place;

    if (!partition || (fips && partition->fips == FIPS_NONE))
        return -EINVAL;
    place = endpoint_service_region(service, region);
    if (service == AWS_IAM)
        place = iam_label(partition, place, dual_stack);
    if (!place)
        return -EINVAL;
    return strbuf_addf(ret, "%s%s%s%s%s.%s", endpoint_service_name(service),
                       fips && says_fips(partition, service, dual_stack) ? "-fips" : "",
                       by_label ? ".dualstack" : "", place[0] && place[0] != '.' ? "." : "", place,
                       dual_stack && !by_label ? partition->dual_suffix : partition->suffix);
}

int endpoint_url(const EndpointOverrides *overrides, AwsService service, const char *region, StrBuf *ret) {
    const Partition *partition = endpoint_partition_of(region);
    const char *override = override_for(overrides, service);
    int r;

    if (!partition)
        return -EINVAL;

    if (override) {
        /* It was checked with the configuration; checked again, because a signed request is sent there. */
        if (!endpoint_override_is_valid(override) || overrides->fips || overrides->dual_stack)
            return -EINVAL;
        return strbuf_addf(ret, "%s%s", override, text_ends_with(override, "/") ? "" : "/");
    }
    if (overrides && overrides->fips && partition->fips == FIPS_NONE)
        return -EINVAL;
    (void)strbuf_add(ret, "https://");
    r = endpoint_add_aws_host(overrides, service, region, ret);
    return r < 0 ? r : strbuf_add_char(ret, '/');
}

/* ---- buckets ---- */

#define NAME_MAX_LEN  255
#define LABEL_MAX_LEN 63

bool endpoint_bucket_is_valid(const char *bucket) {
    static const char ends[] = LOWER UPPER DIGITS;
    size_t n = strlen(bucket);

    if (n < 3 || n > NAME_MAX_LEN || strspn(bucket, LOWER UPPER DIGITS "._-") != n || strstr(bucket, ".."))
        return false;
    return strchr(ends, bucket[0]) && strchr(ends, bucket[n - 1]);
}

/* One label: a certificate for *.s3.REGION covers no dots. */
static bool fits_host(const char *bucket) {
    size_t n = strlen(bucket);

    return n <= LABEL_MAX_LEN && strspn(bucket, LOWER DIGITS "-") == n;
}

int endpoint_bucket_url(const EndpointOverrides *overrides, const char *bucket, const char *region,
                        StrBuf *ret) {
    bool as_path = override_for(overrides, AWS_S3) || !fits_host(bucket);
    int r;

    if (!endpoint_partition_of(region) || !endpoint_bucket_is_valid(bucket))
        return -EINVAL;
    if (as_path) {
        r = endpoint_url(overrides, AWS_S3, region, ret);
        return r < 0 ? r : strbuf_add(ret, bucket);
    }
    (void)strbuf_addf(ret, "https://%s.", bucket);
    r = endpoint_add_aws_host(overrides, AWS_S3, region, ret);
    return r < 0 ? r : strbuf_add_char(ret, '/');
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Made by generate.py beside it, with botocore 1.29.27; not edited by hand. */
static const SigV4Vector sigv4_vectors[] = {
    {
        .name = "get-vanilla",
        .method = "GET",
        .path = "/",
        .query = "",
        .body = "",
        .region = "us-east-1",
        .service = "service",
        .headers = {
            { "Host", "example.amazonaws.com" },
            { "X-Amz-Date", "20150830T123600Z" },
        },
        .time_usec = 1440938160 * USEC_PER_SEC,
        .s3 = false,
        .canonical =
            "GET\n"
            "/\n"
            "\n"
            "host:example.amazonaws.com\n"
            "x-amz-date:20150830T123600Z\n"
            "\n"
            "host;x-amz-date\n"
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        .string_to_sign =
            "AWS4-HMAC-SHA256\n"
            "20150830T123600Z\n"
            "20150830/us-east-1/service/aws4_request\n"
            "bb579772317eb040ac9ed261061d46c1f17a8133879d6129b6e1c25292927e63",
        .signing_key = "938127b5336810ddb6a5d6af445fcac9e371f9ed418ed386b022aed82901be75",
        .signature = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
    },
    {
        .name = "get-vanilla-query",
        .method = "GET",
        .path = "/",
        .query = "",
        .body = "",
        .region = "us-east-1",
        .service = "service",
        .headers = {
            { "Host", "example.amazonaws.com" },
            { "X-Amz-Date", "20150830T123600Z" },
        },
        .time_usec = 1440938160 * USEC_PER_SEC,
        .s3 = false,
        .canonical =
            "GET\n"
            "/\n"
            "\n"
            "host:example.amazonaws.com\n"
            "x-amz-date:20150830T123600Z\n"
            "\n"
            "host;x-amz-date\n"
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        .string_to_sign =
            "AWS4-HMAC-SHA256\n"
            "20150830T123600Z\n"
            "20150830/us-east-1/service/aws4_request\n"
            "bb579772317eb040ac9ed261061d46c1f17a8133879d6129b6e1c25292927e63",
        .signing_key = "938127b5336810ddb6a5d6af445fcac9e371f9ed418ed386b022aed82901be75",
        .signature = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
    },
    {
        .name = "get-vanilla-empty-query-key",
        .method = "GET",
        .path = "/",
        .query = "Param1=value1",
        .body = "",
        .region = "us-east-1",
        .service = "service",
        .headers = {
            { "Host", "example.amazonaws.com" },
            { "X-Amz-Date", "20150830T123600Z" },
        },
        .time_usec = 1440938160 * USEC_PER_SEC,
        .s3 = false,
        .canonical =
            "GET\n"
            "/\n"
            "Param1=value1\n"
            "host:example.amazonaws.com\n"
            "x-amz-date:20150830T123600Z\n"
            "\n"
            "host;x-amz-date\n"
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        .string_to_sign =
            "AWS4-HMAC-SHA256\n"
            "20150830T123600Z\n"
            "20150830/us-east-1/service/aws4_request\n"
            "1e24db194ed7d0eec2de28d7369675a243488e08526e8c1c73571282f7c517ab",
        .signing_key = "938127b5336810ddb6a5d6af445fcac9e371f9ed418ed386b022aed82901be75",
        .signature = "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb",
    },
    {
        .name = "get-vanilla-query-order-encoded",
        .method = "GET",
        .path = "/",
        .query = "Param-3=Value3&Param=Value2&%E1%88%B4=Value1",
        .body = "",
        .region = "us-east-1",
        .service = "service",
        .headers = {
            { "Host", "example.amazonaws.com" },
            { "X-Amz-Date", "20150830T123600Z" },
        },
        .time_usec = 1440938160 * USEC_PER_SEC,
        .s3 = false,
        .canonical =
            "GET\n"
            "/\n"
            "%E1%88%B4=Value1&Param=Value2&Param-3=Value3\n"
            "host:example.amazonaws.com\n"
            "x-amz-date:20150830T123600Z\n"
            "\n"
            "host;x-amz-date\n"
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        .string_to_sign =
            "AWS4-HMAC-SHA256\n"
            "20150830T123600Z\n"
            "20150830/us-east-1/service/aws4_request\n"
            "868294f5c38bd141c4972a373a76654f1418a8e4fc18b2e7903ae45e8ae0ec71",
        .signing_key = "938127b5336810ddb6a5d6af445fcac9e371f9ed418ed386b022aed82901be75",
        .signature = "371d3713e185cc334048618a97f809c9ffe339c62934c032af5a0e595648fcac",
    },
    {
        .name = "get-vanilla-query-order-key-case",
        .method = "GET",
        .path = "/",
        .query = "Param2=value2&Param1=value1",
        .body = "",
        .region = "us-east-1",
        .service = "service",
        .headers = {
            { "Host", "example.amazonaws.com" },
            { "X-Amz-Date", "20150830T123600Z" },
        },
        .time_usec = 1440938160 * USEC_PER_SEC,
        .s3 = false,
        .canonical =
            "GET\n"
            "/\n"
            "Param1=value1&Param2=value2\n"
            "host:example.amazonaws.com\n"
            "x-amz-date:20150830T123600Z\n"
            "\n"
            "host;x-amz-date\n"
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        .string_to_sign =
            "AWS4-HMAC-SHA256\n"
            "20150830T123600Z\n"
            "20150830/us-east-1/service/aws4_request\n"
            "816cd5b414d056048ba4f7c5386d6e0533120fb1fcfa93762cf0fc39e2cf19e0",
        .signing_key = "938127b5336810ddb6a5d6af445fcac9e371f9ed418ed386b022aed82901be75",
        .signature = "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
    },
    {
        .name = "get-vanilla-query-unreserved",
        .method = "GET",
        .path = "/",
        .query = "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz=-._~0123456789ABC"
            "DEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
        .body = "",
        .region = "us-east-1",
        .service = "service",
        .headers = {
            { "Host", "example.amazonaws.com" },
            { "X-Amz-Date", "20150830T123600Z" },
        },
        .time_usec = 1440938160 * USEC_PER_SEC,
        .s3 = false,
        .canonical =
            "GET\n"
            "/\n"
            "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz=-._~0123456789ABC"
            "DEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz\n"
            "host:example.amazonaws.com\n"
            "x-amz-date:20150830T123600Z\n"
            "\n"
            "host;x-amz-date\n"
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        .string_to_sign =
            "AWS4-HMAC-SHA256\n"
            "20150830T123600Z\n"
            "20150830/us-east-1/service/aws4_request\n"
            "c30d4703d9f799439be92736156d47ccfb2d879ddf56f5befa6d1d6aab979177",
        .signing_key = "938127b5336810ddb6a5d6af445fcac9e371f9ed418ed386b022aed82901be75",
        .signature = "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197",
    },
    {
        .name = "get-vanilla-utf8-query",
        .method = "GET",
        .path = "/",
        .query = "\341\210\264=bar",
        .body = "",
        .region = "us-east-1",
        .service = "service",
        .headers = {
            { "Host", "example.amazonaws.com" },
            { "X-Amz-Date", "20150830T123600Z" },
        },
        .time_usec = 1440938160 * USEC_PER_SEC,
        .s3 = false,
        .canonical =
            "GET\n"
            "/\n"
            "%E1%88%B4=bar\n"
            "host:example.amazonaws.com\n"
            "x-amz-date:20150830T123600Z\n"
            "\n"
            "host;x-amz-date\n"
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        .string_to_sign =
            "AWS4-HMAC-SHA256\n"
            "20150830T123600Z\n"
            "20150830/us-east-1/service/aws4_request\n"
            "eb30c5bed55734080471a834cc727ae56beb50e5f39d1bff6d0d38cb192a7073",
        .signing_key = "938127b5336810ddb6a5d6af445fcac9e371f9ed418ed386b022aed82901be75",
        .signature = "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04",
    },
    {
        .name = "get-vanilla-with-session-token",
        .method = "GET",
        .path = "/",
        .query = "",
        .body = "",
        .region = "us-east-1",
        .service = "service",
        .headers = {
            { "Host", "example.amazonaws.com" },
            { "X-Amz-Security-Token", "6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267" },
            { "X-Amz-Date", "20150830T123600Z" },
        },
        .time_usec = 1440938160 * USEC_PER_SEC,
        .s3 = false,
        .canonical =
            "GET\n"
            "/\n"
            "\n"
            "host:example.amazonaws.com\n"
            "x-amz-date:20150830T123600Z\n"
            "x-amz-security-token:6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf19426"
            "7\n"
            "\n"
            "host;x-amz-date;x-amz-security-token\n"
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        .string_to_sign =
            "AWS4-HMAC-SHA256\n"
            "20150830T123600Z\n"
            "20150830/us-east-1/service/aws4_request\n"
            "067b36aa60031588cea4a4cde1f21215227a047690c72247f1d70b32fbbfad2b",
        .signing_key = "938127b5336810ddb6a5d6af445fcac9e371f9ed418ed386b022aed82901be75",
        .signature = "07ec1639c89043aa0e3e2de82b96708f198cceab042d4a97044c66dd9f74e7f8",
    },
    {
        .name = "get-header-key-duplicate",
        .method = "GET",
        .path = "/",
        .query = "",
        .body = "",
        .region = "us-east-1",
        .service = "service",
        .headers = {
            { "Host", "example.amazonaws.com" },
            { "My-Header1", "value2" },
            { "My-Header1", "value2" },
            { "My-Header1", "value1" },
            { "X-Amz-Date", "20150830T123600Z" },
        },
        .time_usec = 1440938160 * USEC_PER_SEC,
        .s3 = false,
        .canonical =
            "GET\n"
            "/\n"
            "\n"
            "host:example.amazonaws.com\n"
            "my-header1:value2,value2,value1\n"
            "x-amz-date:20150830T123600Z\n"
            "\n"
            "host;my-header1;x-amz-date\n"
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        .string_to_sign =
            "AWS4-HMAC-SHA256\n"
            "20150830T123600Z\n"
            "20150830/us-east-1/service/aws4_request\n"
            "dc7f04a3abfde8d472b0ab1a418b741b7c67174dad1551b4117b15527fbe966c",
        .signing_key = "938127b5336810ddb6a5d6af445fcac9e371f9ed418ed386b022aed82901be75",
        .signature = "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea",
    },
    {
        .name = "get-header-value-order",
        .method = "GET",
        .path = "/",
        .query = "",
        .body = "",
        .region = "us-east-1",
        .service = "service",
        .headers = {
            { "Host", "example.amazonaws.com" },
            { "My-Header1", "value4" },
            { "My-Header1", "value1" },
            { "My-Header1", "value3" },
            { "My-Header1", "value2" },
            { "X-Amz-Date", "20150830T123600Z" },
        },
        .time_usec = 1440938160 * USEC_PER_SEC,
        .s3 = false,
        .canonical =
            "GET\n"
            "/\n"
            "\n"
            "host:example.amazonaws.com\n"
            "my-header1:value4,value1,value3,value2\n"
            "x-amz-date:20150830T123600Z\n"
            "\n"
            "host;my-header1;x-amz-date\n"
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        .string_to_sign =
            "AWS4-HMAC-SHA256\n"
            "20150830T123600Z\n"
            "20150830/us-east-1/service/aws4_request\n"
            "31ce73cd3f3d9f66977ad3dd957dc47af14df92fcd8509f59b349e9137c58b86",
        .signing_key = "938127b5336810ddb6a5d6af445fcac9e371f9ed418ed386b022aed82901be75",
        .signature = "08c7e5a9acfcfeb3ab6b2185e75ce8b1deb5e634ec47601a50643f830c755c01",
    },
    {
        .name = "get-header-value-trim",
        .method = "GET",
        .path = "/",
        .query = "",
        .body = "",
        .region = "us-east-1",
        .service = "service",
        .headers = {
            { "Host", "example.amazonaws.com" },
            { "My-Header1", " value1" },
            { "My-Header2", " \"a   b   c\"" },
            { "X-Amz-Date", "20150830T123600Z" },
        },
        .time_usec = 1440938160 * USEC_PER_SEC,
        .s3 = false,
        .canonical =
            "GET\n"
            "/\n"
            "\n"
            "host:example.amazonaws.com\n"
            "my-header1:value1\n"
            "my-header2:\"a b c\"\n"
            "x-amz-date:20150830T123600Z\n"
            "\n"
            "host;my-header1;my-header2;x-amz-date\n"
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        .string_to_sign =
            "AWS4-HMAC-SHA256\n"
            "20150830T123600Z\n"
            "20150830/us-east-1/service/aws4_request\n"
            "a726db9b0df21c14f559d0a978e563112acb1b9e05476f0a6a1c7d68f28605c7",
        .signing_key = "938127b5336810ddb6a5d6af445fcac9e371f9ed418ed386b022aed82901be75",
        .signature = "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
    },
    {
        .name = "get-unreserved",
        .method = "GET",
        .path = "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
        .query = "",
        .body = "",
        .region = "us-east-1",
        .service = "service",
        .headers = {
            { "Host", "example.amazonaws.com" },
            { "X-Amz-Date", "20150830T123600Z" },
        },
        .time_usec = 1440938160 * USEC_PER_SEC,
        .s3 = false,
        .canonical =
            "GET\n"
            "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz\n"
            "\n"
            "host:example.amazonaws.com\n"
            "x-amz-date:20150830T123600Z\n"
            "\n"
            "host;x-amz-date\n"
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        .string_to_sign =
            "AWS4-HMAC-SHA256\n"
            "20150830T123600Z\n"
            "20150830/us-east-1/service/aws4_request\n"
            "6a968768eefaa713e2a6b16b589a8ea192661f098f37349f4e2c0082757446f9",
        .signing_key = "938127b5336810ddb6a5d6af445fcac9e371f9ed418ed386b022aed82901be75",
        .signature = "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f",
    },
    {
        .name = "get-utf8",
        .method = "GET",
        .path = "/\341\210\264",
        .query = "",
        .body = "",
        .region = "us-east-1",
        .service = "service",
        .headers = {
            { "Host", "example.amazonaws.com" },
            { "X-Amz-Date", "20150830T123600Z" },
        },
        .time_usec = 1440938160 * USEC_PER_SEC,
        .s3 = false,
        .canonical =
            "GET\n"
            "/%E1%88%B4\n"
            "\n"
            "host:example.amazonaws.com\n"
            "x-amz-date:20150830T123600Z\n"
            "\n"
            "host;x-amz-date\n"
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        .string_to_sign =
            "AWS4-HMAC-SHA256\n"
            "20150830T123600Z\n"
            "20150830/us-east-1/service/aws4_request\n"
            "2a0a97d02205e45ce2e994789806b19270cfbbb0921b278ccf58f5249ac42102",
        .signing_key = "938127b5336810ddb6a5d6af445fcac9e371f9ed418ed386b022aed82901be75",
        .signature = "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85",
    },
    {
        .name = "get-space-normalized",
        .method = "GET",
        .path = "/example space/",
        .query = "",
        .body = "",
        .region = "us-east-1",
        .service = "service",
        .headers = {
            { "Host", "example.amazonaws.com" },
            { "X-Amz-Date", "20150830T123600Z" },
        },
        .time_usec = 1440938160 * USEC_PER_SEC,
        .s3 = false,
        .canonical =
            "GET\n"
            "/example%20space/\n"
            "\n"
            "host:example.amazonaws.com\n"
            "x-amz-date:20150830T123600Z\n"
            "\n"
            "host;x-amz-date\n"
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        .string_to_sign =
            "AWS4-HMAC-SHA256\n"
            "20150830T123600Z\n"
            "20150830/us-east-1/service/aws4_request\n"
            "63ee75631ed7234ae61b5f736dfc7754cdccfedbff4b5128a915706ee9390d86",
        .signing_key = "938127b5336810ddb6a5d6af445fcac9e371f9ed418ed386b022aed82901be75",
        .signature = "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741",
    },
    {
        .name = "get-relative-normalized",
        .method = "GET",
        .path = "/example/..",
        .query = "",
        .body = "",
        .region = "us-east-1",
        .service = "service",
        .headers = {
            { "Host", "example.amazonaws.com" },
            { "X-Amz-Date", "20150830T123600Z" },
        },
        .time_usec = 1440938160 * USEC_PER_SEC,
        .s3 = false,
        .canonical =
            "GET\n"
            "/\n"
            "\n"
            "host:example.amazonaws.com\n"
            "x-amz-date:20150830T123600Z\n"
            "\n"
            "host;x-amz-date\n"
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        .string_to_sign =
            "AWS4-HMAC-SHA256\n"
            "20150830T123600Z\n"
            "20150830/us-east-1/service/aws4_request\n"
            "bb579772317eb040ac9ed261061d46c1f17a8133879d6129b6e1c25292927e63",
        .signing_key = "938127b5336810ddb6a5d6af445fcac9e371f9ed418ed386b022aed82901be75",
        .signature = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
    },
    {
        .name = "get-relative-relative-normalized",
        .method = "GET",
        .path = "/example1/example2/../..",
        .query = "",
        .body = "",
        .region = "us-east-1",
        .service = "service",
        .headers = {
            { "Host", "example.amazonaws.com" },
            { "X-Amz-Date", "20150830T123600Z" },
        },
        .time_usec = 1440938160 * USEC_PER_SEC,
        .s3 = false,
        .canonical =
            "GET\n"
            "/\n"
            "\n"
            "host:example.amazonaws.com\n"
            "x-amz-date:20150830T123600Z\n"
            "\n"
            "host;x-amz-date\n"
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        .string_to_sign =
            "AWS4-HMAC-SHA256\n"
            "20150830T123600Z\n"
            "20150830/us-east-1/service/aws4_request\n"
            "bb579772317eb040ac9ed261061d46c1f17a8133879d6129b6e1c25292927e63",
        .signing_key = "938127b5336810ddb6a5d6af445fcac9e371f9ed418ed386b022aed82901be75",
        .signature = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
    },
    {
        .name = "get-slash-dot-slash-normalized",
        .method = "GET",
        .path = "/./",
        .query = "",
        .body = "",
        .region = "us-east-1",
        .service = "service",
        .headers = {
            { "Host", "example.amazonaws.com" },
            { "X-Amz-Date", "20150830T123600Z" },
        },
        .time_usec = 1440938160 * USEC_PER_SEC,
        .s3 = false,
        .canonical =
            "GET\n"
            "/\n"
            "\n"
            "host:example.amazonaws.com\n"
            "x-amz-date:20150830T123600Z\n"
            "\n"
            "host;x-amz-date\n"
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        .string_to_sign =
            "AWS4-HMAC-SHA256\n"
            "20150830T123600Z\n"
            "20150830/us-east-1/service/aws4_request\n"
            "bb579772317eb040ac9ed261061d46c1f17a8133879d6129b6e1c25292927e63",
        .signing_key = "938127b5336810ddb6a5d6af445fcac9e371f9ed418ed386b022aed82901be75",
        .signature = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
    },
    {
        .name = "get-slash-normalized",
        .method = "GET",
        .path = "//",
        .query = "",
        .body = "",
        .region = "us-east-1",
        .service = "service",
        .headers = {
            { "Host", "example.amazonaws.com" },
            { "X-Amz-Date", "20150830T123600Z" },
        },
        .time_usec = 1440938160 * USEC_PER_SEC,
        .s3 = false,
        .canonical =
            "GET\n"
            "/\n"
            "\n"
            "host:example.amazonaws.com\n"
            "x-amz-date:20150830T123600Z\n"
            "\n"
            "host;x-amz-date\n"
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        .string_to_sign =
            "AWS4-HMAC-SHA256\n"
            "20150830T123600Z\n"
            "20150830/us-east-1/service/aws4_request\n"
            "bb579772317eb040ac9ed261061d46c1f17a8133879d6129b6e1c25292927e63",
        .signing_key = "938127b5336810ddb6a5d6af445fcac9e371f9ed418ed386b022aed82901be75",
        .signature = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
    },
    {
        .name = "get-slash-pointless-dot-normalized",
        .method = "GET",
        .path = "/./example",
        .query = "",
        .body = "",
        .region = "us-east-1",
        .service = "service",
        .headers = {
            { "Host", "example.amazonaws.com" },
            { "X-Amz-Date", "20150830T123600Z" },
        },
        .time_usec = 1440938160 * USEC_PER_SEC,
        .s3 = false,
        .canonical =
            "GET\n"
            "/example\n"
            "\n"
            "host:example.amazonaws.com\n"
            "x-amz-date:20150830T123600Z\n"
            "\n"
            "host;x-amz-date\n"
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        .string_to_sign =
            "AWS4-HMAC-SHA256\n"
            "20150830T123600Z\n"
            "20150830/us-east-1/service/aws4_request\n"
            "214d50c111a8edc4819da6a636336472c916b5240f51e9a51b5c3305180cf702",
        .signing_key = "938127b5336810ddb6a5d6af445fcac9e371f9ed418ed386b022aed82901be75",
        .signature = "ef75d96142cf21edca26f06005da7988e4f8dc83a165a80865db7089db637ec5",
    },
    {
        .name = "get-slashes-normalized",
        .method = "GET",
        .path = "//example//",
        .query = "",
        .body = "",
        .region = "us-east-1",
        .service = "service",
        .headers = {
            { "Host", "example.amazonaws.com" },
            { "X-Amz-Date", "20150830T123600Z" },
        },
        .time_usec = 1440938160 * USEC_PER_SEC,
        .s3 = false,
        .canonical =
            "GET\n"
            "/example/\n"
            "\n"
            "host:example.amazonaws.com\n"
            "x-amz-date:20150830T123600Z\n"
            "\n"
            "host;x-amz-date\n"
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        .string_to_sign =
            "AWS4-HMAC-SHA256\n"
            "20150830T123600Z\n"
            "20150830/us-east-1/service/aws4_request\n"
            "cb96b4ac96d501f7c5c15bc6d67b3035061cfced4af6585ad927f7e6c985c015",
        .signing_key = "938127b5336810ddb6a5d6af445fcac9e371f9ed418ed386b022aed82901be75",
        .signature = "9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84",
    },
    {
        .name = "get-relative-relative-unnormalized",
        .method = "GET",
        .path = "/example1/example2/../..",
        .query = "",
        .body = "",
        .region = "us-east-1",
        .service = "service",
        .headers = {
            { "Host", "example.amazonaws.com" },
            { "X-Amz-Date", "20150830T123600Z" },
        },
        .time_usec = 1440938160 * USEC_PER_SEC,
        .s3 = true,
        .canonical =
            "GET\n"
            "/example1/example2/../..\n"
            "\n"
            "host:example.amazonaws.com\n"
            "x-amz-date:20150830T123600Z\n"
            "\n"
            "host;x-amz-date\n"
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        .string_to_sign =
            "AWS4-HMAC-SHA256\n"
            "20150830T123600Z\n"
            "20150830/us-east-1/service/aws4_request\n"
            "76115030c0f3ff06c20fdff5ceb6d5e0b835a1743e00b94fea7c7f381269437b",
        .signing_key = "938127b5336810ddb6a5d6af445fcac9e371f9ed418ed386b022aed82901be75",
        .signature = "dc33e0856fd4baca4d7aa2146c38958283844764f38c74252a333df5e613003b",
    },
    {
        .name = "get-slash-pointless-dot-unnormalized",
        .method = "GET",
        .path = "/./example",
        .query = "",
        .body = "",
        .region = "us-east-1",
        .service = "service",
        .headers = {
            { "Host", "example.amazonaws.com" },
            { "X-Amz-Date", "20150830T123600Z" },
        },
        .time_usec = 1440938160 * USEC_PER_SEC,
        .s3 = true,
        .canonical =
            "GET\n"
            "/./example\n"
            "\n"
            "host:example.amazonaws.com\n"
            "x-amz-date:20150830T123600Z\n"
            "\n"
            "host;x-amz-date\n"
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        .string_to_sign =
            "AWS4-HMAC-SHA256\n"
            "20150830T123600Z\n"
            "20150830/us-east-1/service/aws4_request\n"
            "73895e0e829507e28e39fd24669aedc2434a8e179e547e3c075b42921f952cdb",
        .signing_key = "938127b5336810ddb6a5d6af445fcac9e371f9ed418ed386b022aed82901be75",
        .signature = "beb03f223f7deae4146464f06e29eebbee9c8afbe15c290cf07aa8b119e14cff",
    },
    {
        .name = "get-slashes-unnormalized",
        .method = "GET",
        .path = "//example//",
        .query = "",
        .body = "",
        .region = "us-east-1",
        .service = "service",
        .headers = {
            { "Host", "example.amazonaws.com" },
            { "X-Amz-Date", "20150830T123600Z" },
        },
        .time_usec = 1440938160 * USEC_PER_SEC,
        .s3 = true,
        .canonical =
            "GET\n"
            "//example//\n"
            "\n"
            "host:example.amazonaws.com\n"
            "x-amz-date:20150830T123600Z\n"
            "\n"
            "host;x-amz-date\n"
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        .string_to_sign =
            "AWS4-HMAC-SHA256\n"
            "20150830T123600Z\n"
            "20150830/us-east-1/service/aws4_request\n"
            "528ec3105ee1f34ab014bb0a1a45da0ed2742a4fea3555149e5b4d5d201eb240",
        .signing_key = "938127b5336810ddb6a5d6af445fcac9e371f9ed418ed386b022aed82901be75",
        .signature = "87cca117541a147f6df867677d98a7d80dff226d2bfca9e4ffa899665623c7e5",
    },
    {
        .name = "post-vanilla",
        .method = "POST",
        .path = "/",
        .query = "",
        .body = "",
        .region = "us-east-1",
        .service = "service",
        .headers = {
            { "Host", "example.amazonaws.com" },
            { "X-Amz-Date", "20150830T123600Z" },
        },
        .time_usec = 1440938160 * USEC_PER_SEC,
        .s3 = false,
        .canonical =
            "POST\n"
            "/\n"
            "\n"
            "host:example.amazonaws.com\n"
            "x-amz-date:20150830T123600Z\n"
            "\n"
            "host;x-amz-date\n"
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        .string_to_sign =
            "AWS4-HMAC-SHA256\n"
            "20150830T123600Z\n"
            "20150830/us-east-1/service/aws4_request\n"
            "553f88c9e4d10fc9e109e2aeb65f030801b70c2f6468faca261d401ae622fc87",
        .signing_key = "938127b5336810ddb6a5d6af445fcac9e371f9ed418ed386b022aed82901be75",
        .signature = "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
    },
    {
        .name = "post-vanilla-query",
        .method = "POST",
        .path = "/",
        .query = "Param1=value1",
        .body = "",
        .region = "us-east-1",
        .service = "service",
        .headers = {
            { "Host", "example.amazonaws.com" },
            { "X-Amz-Date", "20150830T123600Z" },
        },
        .time_usec = 1440938160 * USEC_PER_SEC,
        .s3 = false,
        .canonical =
            "POST\n"
            "/\n"
            "Param1=value1\n"
            "host:example.amazonaws.com\n"
            "x-amz-date:20150830T123600Z\n"
            "\n"
            "host;x-amz-date\n"
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        .string_to_sign =
            "AWS4-HMAC-SHA256\n"
            "20150830T123600Z\n"
            "20150830/us-east-1/service/aws4_request\n"
            "9d659678c1756bb3113e2ce898845a0a79dbbc57b740555917687f1b3340fbbd",
        .signing_key = "938127b5336810ddb6a5d6af445fcac9e371f9ed418ed386b022aed82901be75",
        .signature = "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11",
    },
    {
        .name = "post-header-key-sort",
        .method = "POST",
        .path = "/",
        .query = "",
        .body = "",
        .region = "us-east-1",
        .service = "service",
        .headers = {
            { "Host", "example.amazonaws.com" },
            { "My-Header1", "value1" },
            { "X-Amz-Date", "20150830T123600Z" },
        },
        .time_usec = 1440938160 * USEC_PER_SEC,
        .s3 = false,
        .canonical =
            "POST\n"
            "/\n"
            "\n"
            "host:example.amazonaws.com\n"
            "my-header1:value1\n"
            "x-amz-date:20150830T123600Z\n"
            "\n"
            "host;my-header1;x-amz-date\n"
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        .string_to_sign =
            "AWS4-HMAC-SHA256\n"
            "20150830T123600Z\n"
            "20150830/us-east-1/service/aws4_request\n"
            "9368318c2967cf6de74404b30c65a91e8f6253e0a8659d6d5319f1a812f87d65",
        .signing_key = "938127b5336810ddb6a5d6af445fcac9e371f9ed418ed386b022aed82901be75",
        .signature = "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c",
    },
    {
        .name = "post-header-value-case",
        .method = "POST",
        .path = "/",
        .query = "",
        .body = "",
        .region = "us-east-1",
        .service = "service",
        .headers = {
            { "Host", "example.amazonaws.com" },
            { "My-Header1", "VALUE1" },
            { "X-Amz-Date", "20150830T123600Z" },
        },
        .time_usec = 1440938160 * USEC_PER_SEC,
        .s3 = false,
        .canonical =
            "POST\n"
            "/\n"
            "\n"
            "host:example.amazonaws.com\n"
            "my-header1:VALUE1\n"
            "x-amz-date:20150830T123600Z\n"
            "\n"
            "host;my-header1;x-amz-date\n"
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        .string_to_sign =
            "AWS4-HMAC-SHA256\n"
            "20150830T123600Z\n"
            "20150830/us-east-1/service/aws4_request\n"
            "d51ced243e649e3de6ef63afbbdcbca03131a21a7103a1583706a64618606a93",
        .signing_key = "938127b5336810ddb6a5d6af445fcac9e371f9ed418ed386b022aed82901be75",
        .signature = "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d",
    },
    {
        .name = "post-x-www-form-urlencoded",
        .method = "POST",
        .path = "/",
        .query = "",
        .body = "Param1=value1",
        .region = "us-east-1",
        .service = "service",
        .headers = {
            { "Host", "example.amazonaws.com" },
            { "Content-Type", "application/x-www-form-urlencoded" },
            { "Content-Length", "13" },
            { "x-amz-content-sha256", "9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e" },
            { "X-Amz-Date", "20150830T123600Z" },
        },
        .time_usec = 1440938160 * USEC_PER_SEC,
        .s3 = false,
        .canonical =
            "POST\n"
            "/\n"
            "\n"
            "content-length:13\n"
            "content-type:application/x-www-form-urlencoded\n"
            "host:example.amazonaws.com\n"
            "x-amz-content-sha256:9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6"
            "e\n"
            "x-amz-date:20150830T123600Z\n"
            "\n"
            "content-length;content-type;host;x-amz-content-sha256;x-amz-date\n"
            "9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e",
        .string_to_sign =
            "AWS4-HMAC-SHA256\n"
            "20150830T123600Z\n"
            "20150830/us-east-1/service/aws4_request\n"
            "b1edd1d03544c25390e32085d55b57acc9a3961bb59415ff86c45c3d89d16cfb",
        .signing_key = "938127b5336810ddb6a5d6af445fcac9e371f9ed418ed386b022aed82901be75",
        .signature = "d3875051da38690788ef43de4db0d8f280229d82040bfac253562e56c3f20e0b",
    },
    {
        .name = "post-x-www-form-urlencoded-parameters",
        .method = "POST",
        .path = "/",
        .query = "",
        .body = "Param1=value1",
        .region = "us-east-1",
        .service = "service",
        .headers = {
            { "Host", "example.amazonaws.com" },
            { "Content-Type", "application/x-www-form-urlencoded; charset=utf-8" },
            { "Content-Length", "13" },
            { "x-amz-content-sha256", "9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e" },
            { "X-Amz-Date", "20150830T123600Z" },
        },
        .time_usec = 1440938160 * USEC_PER_SEC,
        .s3 = false,
        .canonical =
            "POST\n"
            "/\n"
            "\n"
            "content-length:13\n"
            "content-type:application/x-www-form-urlencoded; charset=utf-8\n"
            "host:example.amazonaws.com\n"
            "x-amz-content-sha256:9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6"
            "e\n"
            "x-amz-date:20150830T123600Z\n"
            "\n"
            "content-length;content-type;host;x-amz-content-sha256;x-amz-date\n"
            "9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e",
        .string_to_sign =
            "AWS4-HMAC-SHA256\n"
            "20150830T123600Z\n"
            "20150830/us-east-1/service/aws4_request\n"
            "a89f1a5b53e37702ee6363ce1da3ce8f54386f3c8f352ae652153c2982a0bc4d",
        .signing_key = "938127b5336810ddb6a5d6af445fcac9e371f9ed418ed386b022aed82901be75",
        .signature = "328d1b9eaadca9f5818ef05e8392801e091653bafec24fcab71e7344e7f51422",
    },
    {
        .name = "cloudtrail-get-trail-status",
        .method = "POST",
        .path = "/",
        .query = "",
        .body = "{\"Name\":\"arn:aws:cloudtrail:eu-central-1:111122223333:trail/main\"}",
        .region = "eu-central-1",
        .service = "cloudtrail",
        .headers = {
            { "Host", "cloudtrail.eu-central-1.amazonaws.com" },
            { "Content-Type", "application/x-amz-json-1.1" },
            { "X-Amz-Target", "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.GetTrailStatus" },
            { "X-Amz-Date", "20250102T030405Z" },
            { "X-Amz-Security-Token", "TOKEN/EXAMPLE+==" },
        },
        .time_usec = 1735787045 * USEC_PER_SEC,
        .s3 = false,
        .canonical =
            "POST\n"
            "/\n"
            "\n"
            "content-type:application/x-amz-json-1.1\n"
            "host:cloudtrail.eu-central-1.amazonaws.com\n"
            "x-amz-date:20250102T030405Z\n"
            "x-amz-security-token:TOKEN/EXAMPLE+==\n"
            "x-amz-target:com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.GetTrailStatus\n"
            "\n"
            "content-type;host;x-amz-date;x-amz-security-token;x-amz-target\n"
            "30a78526b08f84b9eb474cf2121ff91947cfa49e5d902af27ef289d59c3c08d9",
        .string_to_sign =
            "AWS4-HMAC-SHA256\n"
            "20250102T030405Z\n"
            "20250102/eu-central-1/cloudtrail/aws4_request\n"
            "97044dd3a3bf8b0d6fc5aaae95fc5d7dc4bb17cb4f4de65fc01a3e9c95b8508b",
        .signing_key = "5478b98469b8ffbb4621128d2c941743229539da9120dca84ce21ed2901c4ff6",
        .signature = "edd1651d52147cbbb805a9ea80df14ebcd9133182c52b2d29d438fd773affbf3",
    },
    {
        .name = "sts-get-caller-identity",
        .method = "POST",
        .path = "/",
        .query = "",
        .body = "Action=GetCallerIdentity&Version=2011-06-15",
        .region = "us-east-1",
        .service = "sts",
        .headers = {
            { "Host", "sts.us-east-1.amazonaws.com" },
            { "Content-Type", "application/x-www-form-urlencoded; charset=utf-8" },
            { "X-Amz-Date", "20250102T030405Z" },
        },
        .time_usec = 1735787045 * USEC_PER_SEC,
        .s3 = false,
        .canonical =
            "POST\n"
            "/\n"
            "\n"
            "content-type:application/x-www-form-urlencoded; charset=utf-8\n"
            "host:sts.us-east-1.amazonaws.com\n"
            "x-amz-date:20250102T030405Z\n"
            "\n"
            "content-type;host;x-amz-date\n"
            "ab821ae955788b0e33ebd34c208442ccfc2d406e2edc5e7a39bd6458fbb4f843",
        .string_to_sign =
            "AWS4-HMAC-SHA256\n"
            "20250102T030405Z\n"
            "20250102/us-east-1/sts/aws4_request\n"
            "e8b4240874da3aaf0489bc05946c8cc6df9a13ea07b3a94fba0ecba070d9693d",
        .signing_key = "8a02ae2fc232853052b19cb8c04b0f0a987287abf899ec2937b8867b43787de9",
        .signature = "68e2aac8f1e773f3708d583b8bd480af67e621023a8846d3af3364f8778216ef",
    },
    {
        .name = "s3-lifecycle",
        .method = "GET",
        .path = "/",
        .query = "lifecycle",
        .body = "",
        .region = "eu-central-1",
        .service = "s3",
        .headers = {
            { "Host", "logs-bucket.s3.eu-central-1.amazonaws.com" },
            { "X-Amz-Date", "20250102T030405Z" },
            { "X-Amz-Security-Token", "TOKEN/EXAMPLE+==" },
            { "X-Amz-Content-SHA256", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
        },
        .time_usec = 1735787045 * USEC_PER_SEC,
        .s3 = true,
        .canonical =
            "GET\n"
            "/\n"
            "lifecycle=\n"
            "host:logs-bucket.s3.eu-central-1.amazonaws.com\n"
            "x-amz-content-sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b85"
            "5\n"
            "x-amz-date:20250102T030405Z\n"
            "x-amz-security-token:TOKEN/EXAMPLE+==\n"
            "\n"
            "host;x-amz-content-sha256;x-amz-date;x-amz-security-token\n"
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        .string_to_sign =
            "AWS4-HMAC-SHA256\n"
            "20250102T030405Z\n"
            "20250102/eu-central-1/s3/aws4_request\n"
            "b667ad6c2f78358825ef3d4cec4644ebf292414af6a3bb88a149a18d4062c65c",
        .signing_key = "3da7ffa83a7885abe23dd454f03594af80906d09e3969804fa1b6fec309ea940",
        .signature = "50b10f6d348cd0fa893a5fad573fcb72604cd8cccc3d906810ba5d5302d31801",
    },
    {
        .name = "s3-object",
        .method = "GET",
        .path = "/AWSLogs/1/a%20b%2Bc~d%3D.json.gz",
        .query = "versionId=x%2Fy",
        .body = "",
        .region = "eu-central-1",
        .service = "s3",
        .headers = {
            { "Host", "logs-bucket.s3.eu-central-1.amazonaws.com" },
            { "X-Amz-Date", "20250102T030405Z" },
            { "X-Amz-Security-Token", "TOKEN/EXAMPLE+==" },
            { "X-Amz-Content-SHA256", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
        },
        .time_usec = 1735787045 * USEC_PER_SEC,
        .s3 = true,
        .canonical =
            "GET\n"
            "/AWSLogs/1/a%20b%2Bc~d%3D.json.gz\n"
            "versionId=x%2Fy\n"
            "host:logs-bucket.s3.eu-central-1.amazonaws.com\n"
            "x-amz-content-sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b85"
            "5\n"
            "x-amz-date:20250102T030405Z\n"
            "x-amz-security-token:TOKEN/EXAMPLE+==\n"
            "\n"
            "host;x-amz-content-sha256;x-amz-date;x-amz-security-token\n"
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        .string_to_sign =
            "AWS4-HMAC-SHA256\n"
            "20250102T030405Z\n"
            "20250102/eu-central-1/s3/aws4_request\n"
            "0753bf0b38026ad5a2894f4db51ecea61d5a5390115b72899b04592ec3f0a2d8",
        .signing_key = "3da7ffa83a7885abe23dd454f03594af80906d09e3969804fa1b6fec309ea940",
        .signature = "9e52bee1476b31ea0bf754e88e03f44f2b4cf0a6e2224a6003f0ecbc1648c624",
    },
    {
        .name = "sns-publish",
        .method = "POST",
        .path = "/",
        .query = "",
        .body = "Action=Publish&Version=2010-03-31&TopicArn=arn%3Aaws%3Asns%3Aeu-central-1%3A11112222"
            "3333%3Aalerts&Message=%C3%A9%20~%2A",
        .region = "eu-central-1",
        .service = "sns",
        .headers = {
            { "Host", "sns.eu-central-1.amazonaws.com" },
            { "Content-Type", "application/x-www-form-urlencoded; charset=utf-8" },
            { "X-Amz-Date", "20250102T030405Z" },
            { "X-Amz-Security-Token", "TOKEN/EXAMPLE+==" },
        },
        .time_usec = 1735787045 * USEC_PER_SEC,
        .s3 = false,
        .canonical =
            "POST\n"
            "/\n"
            "\n"
            "content-type:application/x-www-form-urlencoded; charset=utf-8\n"
            "host:sns.eu-central-1.amazonaws.com\n"
            "x-amz-date:20250102T030405Z\n"
            "x-amz-security-token:TOKEN/EXAMPLE+==\n"
            "\n"
            "content-type;host;x-amz-date;x-amz-security-token\n"
            "cc1828aa78bffcc846849d24d59cb3eade03d42fda82eab0684e6283a2f07691",
        .string_to_sign =
            "AWS4-HMAC-SHA256\n"
            "20250102T030405Z\n"
            "20250102/eu-central-1/sns/aws4_request\n"
            "6cf9cc332ee723690fc71cb67a36cc5e53055b9bd78e196fceeb2b31b3cf072d",
        .signing_key = "7e1831dc09b24d3a20f7bc985168114567c926a1a3cd940177b517de77a8f2c7",
        .signature = "3450e1dcc1cd22f42971d7b65d02b96b72e75a2c1fe20936b1ed6e4c71ebf695",
    },
    {
        .name = "port-in-host",
        .method = "POST",
        .path = "/base/path/",
        .query = "",
        .body = "Action=GetCallerIdentity&Version=2011-06-15",
        .region = "eu-west-1",
        .service = "sts",
        .headers = {
            { "Host", "127.0.0.1:8443" },
            { "Content-Type", "application/x-www-form-urlencoded; charset=utf-8" },
            { "X-Amz-Date", "20250102T030405Z" },
            { "X-Amz-Security-Token", "TOKEN/EXAMPLE+==" },
        },
        .time_usec = 1735787045 * USEC_PER_SEC,
        .s3 = false,
        .canonical =
            "POST\n"
            "/base/path/\n"
            "\n"
            "content-type:application/x-www-form-urlencoded; charset=utf-8\n"
            "host:127.0.0.1:8443\n"
            "x-amz-date:20250102T030405Z\n"
            "x-amz-security-token:TOKEN/EXAMPLE+==\n"
            "\n"
            "content-type;host;x-amz-date;x-amz-security-token\n"
            "ab821ae955788b0e33ebd34c208442ccfc2d406e2edc5e7a39bd6458fbb4f843",
        .string_to_sign =
            "AWS4-HMAC-SHA256\n"
            "20250102T030405Z\n"
            "20250102/eu-west-1/sts/aws4_request\n"
            "c9a644271407c4e542ccce8fd4cd340024d5b6d6db6ef1f25c056535347ac48b",
        .signing_key = "b0367d30d806451b194903664a6657fcbf78c575b24aa4664ca96efcc05371fc",
        .signature = "a4a7329143a8cbc2072348fa9070e788181008201fd86f6c3a3feba2c4d58d0e",
    },
};

/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "lib/util/hash.h"
#include "lib/util/macros.h"

static const char million_a[] = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";

/* FIPS 180-2, appendix B. */
static void sha256(void **state _unused_) {
    static const struct {
        const char *text, *hex;
    } cases[] = {
        { "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
        { "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
        { "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
          "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
    };
    static char a[1000000];
    char hex[HASH_HEX_SIZE];

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        assert_int_equal(hash_sha256_hex(cases[i].text, strlen(cases[i].text), hex), 0);
        assert_string_equal(hex, cases[i].hex);
    }
    memset(a, 'a', sizeof(a));
    assert_int_equal(hash_sha256_hex(a, sizeof(a), hex), 0);
    assert_string_equal(hex, million_a);
    assert_int_equal(hash_sha256_hex(NULL, 0, hex), 0);
    assert_string_equal(hex, cases[0].hex);
}

/* RFC 4231, test cases 1, 2, 3 and 6. */
static void hmac_sha256(void **state _unused_) {
    char key_0b[20], key_aa[131], data_dd[50];
    const struct {
        const char *key;
        size_t key_len;
        const char *data;
        size_t len;
        const char *hex;
    } cases[] = {
        { key_0b, 20, "Hi There", 8, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7" },
        { "Jefe", 4, "what do ya want for nothing?", 28,
          "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843" },
        { key_aa, 20, data_dd, 50, "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe" },
        { key_aa, 131, "Test Using Larger Than Block-Size Key - Hash Key First", 54,
          "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54" },
        { NULL, 0, NULL, 0, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad" },
    };

    memset(key_0b, 0x0b, sizeof(key_0b));
    memset(key_aa, 0xaa, sizeof(key_aa));
    memset(data_dd, 0xdd, sizeof(data_dd));
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        uint8_t mac[HASH_SIZE];
        char hex[HASH_HEX_SIZE];

        assert_int_equal(hash_hmac_sha256(cases[i].key, cases[i].key_len, cases[i].data, cases[i].len, mac),
                         0);
        hash_hex(mac, hex);
        assert_string_equal(hex, cases[i].hex);
    }
}

static void wipes(void **state _unused_) {
    char secret[16] = "secret", zero[16] = "";

    hash_wipe(secret, sizeof(secret));
    assert_memory_equal(secret, zero, sizeof(zero));
    hash_wipe(NULL, 10);
}

static void works(void **state) {
    (void)state;
    assert_int_equal(hash_check(), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sha256),
        cmocka_unit_test(hmac_sha256),
        cmocka_unit_test(wipes),
        cmocka_unit_test(works),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

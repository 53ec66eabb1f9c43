/* SPDX-License-Identifier: Apache-2.0 */
/* Preloaded into the daemon by test_tls_lost.py: libssl gets no memory while there is a file of this name,
 * so that no handshake can begin, as when OpenSSL has lost what it needs for one. Without the variable it
 * changes nothing.
 *
 *   TLS_LOST=FILE */
#include <dlfcn.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef void *Allocate(size_t size, const char *file, int line);

void *CRYPTO_malloc(size_t size, const char *file, int line);
void *CRYPTO_zalloc(size_t size, const char *file, int line);

static const char *lost; /* of the environment; NULL: never */

__attribute__((constructor)) static void set_up(void) {
    lost = getenv("TLS_LOST");
}

static bool fails(void *caller) {
    Dl_info found = { 0 };

    return lost && access(lost, F_OK) == 0 && dladdr(caller, &found) != 0 && found.dli_fname &&
           strstr(found.dli_fname, "libssl");
}

/* ISO C has no cast from an object to a function. */
static Allocate *real(const char *name) {
    void *found = dlsym(RTLD_NEXT, name);
    Allocate *function;

    memcpy(&function, &found, sizeof(function));
    return function;
}

void *CRYPTO_malloc(size_t size, const char *file, int line) {
    static Allocate *next;

    next = next ? next : real("CRYPTO_malloc");
    return fails(__builtin_return_address(0)) ? NULL : next(size, file, line);
}

void *CRYPTO_zalloc(size_t size, const char *file, int line) {
    static Allocate *next;

    next = next ? next : real("CRYPTO_zalloc");
    return fails(__builtin_return_address(0)) ? NULL : next(size, file, line);
}

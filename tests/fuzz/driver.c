/* SPDX-License-Identifier: Apache-2.0 */
/* Replays inputs through a fuzz target without libFuzzer, so that any compiler, valgrind and the sanitizers
 * can.
 *
 * usage: fuzz_NAME CORPUS...   each a file or a directory of files
 *
 * Besides each input itself its prefixes are tried, since truncated answers are what parsers meet most; each
 * in a buffer of exactly its size, so that one byte read too many is seen. */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define INPUT_MAX    (1024 * 1024)
#define PREFIXES_MAX 512

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_bytes(const uint8_t *data, size_t size) {
    uint8_t *exact = malloc(size ? size : 1);

    if (!exact)
        abort();
    if (size)
        memcpy(exact, data, size);
    (void)LLVMFuzzerTestOneInput(size ? exact : exact + 1, size);
    free(exact);
}

static int try_file(const char *path) {
    FILE *f = fopen(path, "re");
    uint8_t *data = malloc(INPUT_MAX);
    size_t n, step;

    if (!f || !data) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        if (f)
            fclose(f);
        free(data);
        return -1;
    }

    n = fread(data, 1, INPUT_MAX, f);
    fclose(f);

    step = n / PREFIXES_MAX + 1;
    for (size_t len = 0; len < n; len += step)
        try_bytes(data, len);
    try_bytes(data, n);
    free(data);
    return 1;
}

static int try_directory(const char *path) {
    struct dirent **names;
    int n = scandir(path, &names, NULL, alphasort), count = 0;

    if (n < 0) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        return -1;
    }

    for (int i = 0; i < n; i++) {
        char file[4096];

        (void)snprintf(file, sizeof(file), "%s/%s", path, names[i]->d_name);
        if (names[i]->d_name[0] != '.' && count >= 0)
            count = try_file(file) < 0 ? -1 : count + 1;
        free(names[i]);
    }
    free(names);
    return count;
}

int main(int argc, char **argv) {
    int total = 0;

    for (int i = 1; i < argc; i++) {
        struct stat st;
        int n = stat(argv[i], &st) >= 0 && S_ISREG(st.st_mode) ? try_file(argv[i]) : try_directory(argv[i]);

        if (n < 0)
            return EXIT_FAILURE;
        total += n;
    }

    printf("  FUZZ  %s: %d inputs and their prefixes\n", argv[0], total);
    if (total == 0)
        fprintf(stderr, "%s: the corpus is empty, nothing was tried\n", argv[0]);
    return total ? EXIT_SUCCESS : EXIT_FAILURE;
}

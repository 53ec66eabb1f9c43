/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a configuration: a value, or a line for each mistake. The value's dump reads back to the same
 * dump. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/config/config.h"
#include "lib/util/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int holds) {
    if (!holds)
        abort();
}

static void check_lines(char *error) {
    char *rest = error;

    check(error[0] && !text_ends_with(error, "\n"));
    for (const char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n"))
        check(text_starts_with(line, "t.conf:"));
}

static char *dump(const Config *config) {
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    check(out && config_dump(config, out) == 0 && fclose(out) == 0);
    return text;
}

static void check_dump(Config *first) {
    static char error[CONFIG_ERROR_MAX];
    char *a = dump(first), *b;
    Config *second;

    check(config_parse("dump", a, strlen(a), &second, error) == 0);
    b = dump(second);
    check(strcmp(a, b) == 0);
    free(a);
    free(b);
    config_free(first);
    config_free(second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static char error[CONFIG_ERROR_MAX];
    char *text = malloc(size + 1);
    Config *config;

    check(text != NULL);
    memcpy(text, data, size);
    text[size] = '\0';
    if (config_parse("t.conf", text, size, &config, error) < 0)
        check_lines(error);
    else
        check_dump(config);
    free(text);
    return 0;
}

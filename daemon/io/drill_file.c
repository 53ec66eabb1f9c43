/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/io/drill_file.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "daemon/io/request_file.h"
#include "lib/util/file.h"
#include "lib/util/json_text.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

#define SCHEMA   "trailguard.drill/1"

static int refuse(char *reason, size_t size, const char *why) {
    (void)text_copy(reason, size, why);
    return -EINVAL;
}

int drill_file_parse(const char *text, size_t len, DrillFile *ret, char *reason, size_t size) {
    json_auto_t *root = NULL;
    const char *schema, *trail, *identity, *nonce, *tag = "";
    json_int_t from, until;
    DrillFile file = { 0 };

    if (json_text_parse(text, len, JSON_REJECT_DUPLICATES, NULL, &root) == -ENOMEM)
        return -ENOMEM;
    if (json_unpack(root, "{s:s, s:s, s:s, s:s, s?s, s:I, s:I!}", "schema", &schema, "trail", &trail,
                    "identity", &identity, "nonce", &nonce, "tag", &tag, "from_usec", &from, "until_usec",
                    &until) < 0)
        return refuse(reason, size, "it is no announcement of a drill");
    if (!text_equal(schema, SCHEMA))
        return refuse(reason, size, "its schema is not " SCHEMA);
    if (from <= 0 || until <= from || (uint64_t)(until - from) > DRILL_MAX_USEC)
        return refuse(reason, size, "a drill lasts at most 15 min");
    if (!trail[0] || !identity[0] || strlen(trail) >= sizeof(file.trail) ||
        strlen(identity) >= sizeof(file.drill.identity) || strlen(nonce) != sizeof(file.drill.nonce) - 1 ||
        strlen(tag) >= sizeof(file.drill.tag))
        return refuse(reason, size, "a member is empty, or too long");
    (void)text_copy(file.trail, sizeof(file.trail), trail);
    (void)text_copy(file.drill.nonce, sizeof(file.drill.nonce), nonce);
    (void)text_copy(file.drill.tag, sizeof(file.drill.tag), tag);
    (void)text_copy(file.drill.identity, sizeof(file.drill.identity), identity);
    file.drill.from_usec = (uint64_t)from;
    file.drill.until_usec = (uint64_t)until;
    *ret = file;
    return 0;
}

int drill_file_read(const char *dir, DrillFile *ret, char *reason, size_t reason_size) {
    _cleanup_free_ char *text = NULL;
    size_t len = 0;
    int r = request_file_read(dir, DRILL_FILE, &text, &len, reason, reason_size);

    return r < 0 ? r : drill_file_parse(text, len, ret, reason, reason_size);
}

int drill_file_write(const char *dir, const DrillFile *file) {
    json_auto_t *root = NULL;

    root = json_pack("{s:s, s:s, s:s, s:s, s:s*, s:I, s:I}", "schema", SCHEMA, "trail", file->trail,
                     "identity", file->drill.identity, "nonce", file->drill.nonce, "tag",
                     file->drill.tag[0] ? file->drill.tag : NULL, "from_usec",
                     (json_int_t)file->drill.from_usec, "until_usec", (json_int_t)file->drill.until_usec);
    return request_file_write(dir, DRILL_FILE, root);
}

int drill_file_remove(const char *dir) {
    _cleanup_(file_closep) int fd = file_dir_open(dir);

    return fd < 0 ? fd : file_remove_at(fd, DRILL_FILE);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/io/release_file.h"

#include <errno.h>
#include <jansson.h>

#include "daemon/io/request_file.h"
#include "lib/util/file.h"
#include "lib/util/json_text.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

#define SCHEMA "trailguard.release/1"

int release_file_parse(const char *text, size_t len, ReleaseFile *ret, char *reason, size_t reason_size) {
    json_auto_t *root = NULL;
    const char *schema, *arn, *by;
    ReleaseFile file = { 0 };

    if (json_text_parse(text, len, JSON_REJECT_DUPLICATES, NULL, &root) == -ENOMEM)
        return -ENOMEM;
    if (json_unpack(root, "{s:s, s:s, s:s!}", "schema", &schema, "arn", &arn, "by", &by) < 0 ||
        !text_equal(schema, SCHEMA)) {
        (void)text_copy(reason, reason_size, "it is no request of trailguard release");
        return -EINVAL;
    }
    if (!arn[0] || !by[0] || !text_copy(file.arn, sizeof(file.arn), arn) ||
        !text_copy(file.by, sizeof(file.by), by)) {
        (void)text_copy(reason, reason_size, "a member is empty, or too long");
        return -EINVAL;
    }
    *ret = file;
    return 0;
}

int release_file_read(const char *dir, ReleaseFile *ret, char *reason, size_t reason_size) {
    _cleanup_free_ char *text = NULL;
    size_t len = 0;
    int r = request_file_read(dir, RELEASE_FILE, &text, &len, reason, reason_size);

    return r < 0 ? r : release_file_parse(text, len, ret, reason, reason_size);
}

int release_file_write(const char *dir, const ReleaseFile *file) {
    json_auto_t *root = json_pack("{s:s, s:s, s:s}", "schema", SCHEMA, "arn", file->arn, "by", file->by);

    return request_file_write(dir, RELEASE_FILE, root);
}

int release_file_remove(const char *dir) {
    _cleanup_(file_closep) int fd = file_dir_open(dir);

    return fd < 0 ? fd : file_remove_at(fd, RELEASE_FILE);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/io/request_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/util/file.h"
#include "lib/util/macros.h"
#include "lib/util/text.h"

static int refuse(char *reason, size_t size, const char *why) {
    (void)text_copy(reason, size, why);
    return -EINVAL;
}

static int check_owner(int dir_fd, const char *name, char *reason, size_t size) {
    struct stat st;

    if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return -errno;
    if (!S_ISREG(st.st_mode))
        return refuse(reason, size, "it is no regular file");
    if (st.st_uid != 0 && st.st_uid != geteuid())
        return refuse(reason, size, "it belongs neither to root nor to the daemon's user");
    if (st.st_mode & (S_IWGRP | S_IWOTH))
        return refuse(reason, size, "others may write to it");
    return 0;
}

int request_file_read(const char *dir, const char *name, char **ret, size_t *ret_len, char *reason,
                      size_t reason_size) {
    _cleanup_(file_closep) int fd = file_dir_open(dir);
    int r = fd < 0 ? fd : check_owner(fd, name, reason, reason_size);

    if (r >= 0)
        r = file_read_at(fd, name, REQUEST_FILE_MAX, ret, ret_len);
    if (r == -E2BIG)
        return refuse(reason, reason_size, "it is larger than 4096 bytes");
    return r;
}

int request_file_write(const char *dir, const char *name, const json_t *root) {
    _cleanup_(file_closep) int fd = file_dir_open(dir);
    _cleanup_free_ char *text = NULL;

    if (fd < 0)
        return fd;
    text = root ? json_text_dump(root, JSON_INDENT(1)) : NULL;
    return text ? file_write_at(fd, name, text, strlen(text), 0600, true) : -ENOMEM;
}

/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Files: bounded reads and writes that are either whole and on the disk, or not there. */

#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Reads a whole regular file of at most max bytes; appends a NUL that does not count. The caller frees *ret
 * (file_free_secret for key files). -E2BIG over max, -EINVAL when not a regular file, else -errno of
 * open/read. */
int file_read(const char *path, size_t max, char **ret, size_t *ret_len);

/* The same, and gives the file's permission bits, for warnings about key files that others may read (mode &
 * 077). */
int file_read_mode(const char *path, size_t max, char **ret, size_t *ret_len, mode_t *ret_mode);

/* Overwrites and frees what file_read gave. NULL is fine. */
void file_free_secret(char *data, size_t len);

/* Writes a file's whole content: temporary file ".NAME.tmp-XXXXXX" in the same directory, fsync, rename,
 * fsync of the directory. The file's mode is exactly `mode`, whatever the umask; when root writes into a
 * directory of somebody else, the file gets the directory's owner. After 0 the content survives a power cut;
 * after an error the old file is untouched and no temporary is left, with one exception: when the last
 * fsync, that of the directory, fails, the new content is there and may not survive a power cut. With
 * durable false both fsyncs are left out (status files under /run). Returns 0 or -errno. */
int file_write(const char *path, const void *data, size_t len, mode_t mode, bool durable);

/* ---- below a directory that another user may write in: no symbolic link is followed (-ELOOP) ---- */

/* Opens a directory to work below. The last part of its path may be a symbolic link when root or we own it,
 * as systemd makes one of /var/lib/NAME; whoever may only write in the directory can make none. The caller
 * closes it. -errno. */
int file_dir_open(const char *path);
/* A directory in a directory; no link. file_dir_open_below opens `dir` first, by the rule above. */
int file_dir_open_at(int dir_fd, const char *name);
int file_dir_open_below(const char *dir, const char *name);
/* Its entries from the first on; dir_fd stays the caller's, who closes the stream. NULL and errno. */
DIR *file_dir_stream(int dir_fd);
/* The next entry, valid until the next call. 1; 0 at the end; -errno: what was read is not all. */
int file_dir_next(DIR *stream, const struct dirent **ret);
/* For cleanup attributes: closes what is >= 0. */
void file_closep(int *fd);

/* As file_read and file_write. */
int file_read_at(int dir_fd, const char *name, size_t max, char **ret, size_t *ret_len);
int file_write_at(int dir_fd, const char *name, const void *data, size_t len, mode_t mode, bool durable);
/* The same for a file that must not exist yet: -EEXIST, and what is there stays. */
int file_write_new_at(int dir_fd, const char *name, const void *data, size_t len, mode_t mode, bool durable);

/* Renames unless `to` exists: -EEXIST. Atomic where the file system can (RENAME_NOREPLACE); elsewhere there
 * is a moment between looking and renaming. 0 or -errno. */
int file_rename_new_at(int dir_fd, const char *from, int to_dir_fd, const char *to);

/* Removes it and makes that durable. 0, also when it was not there; else -errno. */
int file_remove_at(int dir_fd, const char *name);

/* Removes the temporary files of writers that ended before they were done: only files of exactly the names
 * that are made here, and none whose writer still lives. How many. */
unsigned file_sweep_at(int dir_fd);
/* The same in a directory that other programs write in, too: only those of this file. */
unsigned file_sweep_of(const char *path);

/* Makes a directory (one level, durably) with exactly mode, and the owner of its parent as file_write
 * does, unless it exists; proves that files can be made in it. 0 or -errno (-ENOTDIR when path is
 * something else). file_ensure_dir follows a link as file_dir_open does. */
int file_ensure_dir(const char *path, mode_t mode);
/* The same below a directory; they give it open. */
int file_ensure_dir_at(int dir_fd, const char *name, mode_t mode);
int file_ensure_dir_below(const char *dir, const char *name, mode_t mode);

/* When what path names (a link is followed) was changed last, in microseconds since 1970. 0 or -errno. */
int file_modified(const char *path, uint64_t *ret_usec);

/* The error in words. */
const char *file_strerror(int error);

/* "dir/name" in a new string, or NULL when out of memory. */
char *file_join(const char *dir, const char *name);

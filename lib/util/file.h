/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Files: bounded reads, and writes that are complete and durable or do not happen. */

#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Reads a regular file of at most max bytes and appends a NUL that is not counted. The caller frees *ret
 * (file_free_secret for keys). -E2BIG above max, -EINVAL if not a regular file, or -errno of open or
 * read. */
int file_read(const char *path, size_t max, char **ret, size_t *ret_len);

/* Like file_read, and also returns the permission bits, to warn about key files that others can read (mode &
 * 077). */
int file_read_mode(const char *path, size_t max, char **ret, size_t *ret_len, mode_t *ret_mode);

/* Overwrites and frees the result of file_read. data may be NULL. */
void file_free_secret(char *data, size_t len);

/* Writes the whole file: temporary file ".NAME.tmp-XXXXXX" in the same directory, fsync, rename, fsync of
 * the directory. The mode is exactly `mode`, whatever the umask; if root writes into another user's
 * directory, the file gets the directory's owner. After 0 the content survives a power cut. After an error
 * the old file is untouched and no temporary file remains, except if the final fsync of the directory fails:
 * the new content is in place but may not survive a power cut. durable false skips both fsyncs (status files
 * in /run). Returns 0 or -errno. */
int file_write(const char *path, const void *data, size_t len, mode_t mode, bool durable);

/* ---- below a directory that another user can write to: symbolic links are not followed (-ELOOP) ---- */

/* Opens a directory to work below. The last part of its path may be a symbolic link that root or we own,
 * such as systemd's /var/lib/NAME; a user who can only write to the directory cannot create one. The caller
 * closes it. Returns -errno on error. */
int file_dir_open(const char *path);
/* Opens a directory inside a directory, never a link. file_dir_open_below opens `dir` first, as above. */
int file_dir_open_at(int dir_fd, const char *name);
int file_dir_open_below(const char *dir, const char *name);
/* Lists a directory from its first entry. The caller keeps dir_fd and closes the stream. NULL and errno. */
DIR *file_dir_stream(int dir_fd);
/* Gets the next entry, valid until the next call. Returns 1, 0 at the end, -errno if entries are missing. */
int file_dir_next(DIR *stream, const struct dirent **ret);
/* For cleanup attributes: closes *fd if it is >= 0. */
void file_closep(int *fd);

/* Like file_read and file_write. */
int file_read_at(int dir_fd, const char *name, size_t max, char **ret, size_t *ret_len);
int file_write_at(int dir_fd, const char *name, const void *data, size_t len, mode_t mode, bool durable);
/* Like file_write_at, but never replaces a file: returns -EEXIST. */
int file_write_new_at(int dir_fd, const char *name, const void *data, size_t len, mode_t mode, bool durable);

/* Renames unless `to` exists (-EEXIST). Atomic if the file system supports RENAME_NOREPLACE; otherwise `to`
 * may appear between check and rename. Returns 0 or -errno. */
int file_rename_new_at(int dir_fd, const char *from, int to_dir_fd, const char *to);

/* Removes the file and makes that durable. Returns 0, also if it did not exist, or -errno. */
int file_remove_at(int dir_fd, const char *name);

/* Removes temporary files of dead writers: only files with exactly the names that this module makes, and
 * none whose writer is alive. Returns how many were removed. */
unsigned file_sweep_at(int dir_fd);
/* Like file_sweep_at, where other programs write too: only temporary files of this path. */
unsigned file_sweep_of(const char *path);

/* Makes a directory (one level, durably) with exactly this mode and, like file_write, its parent's owner,
 * unless it exists; checks that files can be created in it. Returns 0 or -errno (-ENOTDIR if path is not a
 * directory). file_ensure_dir follows a link as file_dir_open does. */
int file_ensure_dir(const char *path, mode_t mode);
/* Like file_ensure_dir, below a directory; returns the open directory. */
int file_ensure_dir_at(int dir_fd, const char *name, mode_t mode);
int file_ensure_dir_below(const char *dir, const char *name, mode_t mode);

/* Gets the modification time of path, following links, in microseconds since 1970. Returns 0 or -errno. */
int file_modified(const char *path, uint64_t *ret_usec);

/* Describes the error in words. */
const char *file_strerror(int error);

/* Returns "dir/name" in a new string, or NULL if out of memory. */
char *file_join(const char *dir, const char *name);

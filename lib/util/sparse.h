/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A struct of which most is zeros, kept without them: what is nearly always empty takes room only while it
 * is not. The struct has no pointers that it owns, and its size is a multiple of 8. */

#include <stdbool.h>
#include <stddef.h>

typedef struct Sparse Sparse;

/* The greatest struct. */
#define SPARSE_SIZE_MAX 4096U
/* A value that has at most so many words more than the latest one put for good is put without memory. */
#define SPARSE_SPARE_WORDS 6U

/* Keeps a copy of the value in *kept, which sparse_free frees. roomy: makes room for any value of this size,
 * so that no further one needs memory. 0, or -ENOMEM, when *kept is as before. */
int sparse_put(Sparse **kept, const void *value, size_t size, bool roomy);
/* Reads `size` bytes at the offset. NULL: all are zeros. */
void sparse_get(const Sparse *kept, size_t offset, size_t size, void *ret);
/* Bytes that it takes. */
size_t sparse_size(const Sparse *kept);
void sparse_free(Sparse *kept);

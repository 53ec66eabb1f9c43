/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Stores a struct that is mostly zeros without the zeros, so a nearly always empty one takes little memory.
 * The struct owns no pointers, and its size is a multiple of 8. */

#include <stdbool.h>
#include <stddef.h>

typedef struct Sparse Sparse;

/* The largest struct. */
#define SPARSE_SIZE_MAX 4096U
/* A value with at most this many more nonzero words than the last one stored needs no new memory. */
#define SPARSE_SPARE_WORDS 6U

/* Stores a copy of the value in *kept, which sparse_free frees. roomy reserves space for any value of this
 * size, so later calls need no memory. Returns 0, or -ENOMEM and leaves *kept unchanged. */
int sparse_put(Sparse **kept, const void *value, size_t size, bool roomy);
/* Copies `size` bytes from the offset into ret. If kept is NULL, all are zeros. */
void sparse_get(const Sparse *kept, size_t offset, size_t size, void *ret);
/* Returns the memory it takes, in bytes. */
size_t sparse_size(const Sparse *kept);
void sparse_free(Sparse *kept);

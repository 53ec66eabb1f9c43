/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/util/macros.h"
#include "lib/util/sparse.h"

#define WORD      sizeof(uint64_t)
#define MAP_BITS  64U
#define BUNCH     8U
#define WORDS_MAX (SPARSE_SIZE_MAX / WORD)

#define CLEAR_PIECE ((size_t)1024)

/* A bit for each word of the struct says whether it is there; those that are follow the map in their order.
 */
struct Sparse {
    uint16_t n_map; /* words of the map */
    uint16_t n;     /* words of the struct that are there */
    uint16_t room;  /* ... and that there is room for */
    uint64_t words[];
};

static size_t size_of(size_t n_map, size_t room) {
    return sizeof(Sparse) + (n_map + room) * WORD;
}

static Sparse *with_room(Sparse *kept, size_t n_map, size_t room) {
    Sparse *made = realloc(kept, size_of(n_map, room));

    if (made)
        made->room = (uint16_t)room;
    return made;
}

/* The words that are not zero, and the map of them. Their number. Zeros are passed over in bunches. */
static size_t pack(const void *value, size_t n_all, uint64_t *map, uint64_t *words) {
    uint64_t bunch[BUNCH];
    size_t n = 0;

    for (size_t begin = 0, end; begin < n_all; begin = end) {
        uint64_t any = 0;

        end = MIN(begin + BUNCH, n_all);
        memcpy(bunch, (const char *)value + begin * WORD, (end - begin) * WORD);
        for (size_t i = begin; i < end; i++)
            any |= bunch[i - begin];
        for (size_t i = begin; any != 0 && i < end; i++)
            if (bunch[i - begin] != 0) {
                map[i / MAP_BITS] |= UINT64_C(1) << (i % MAP_BITS);
                words[n++] = bunch[i - begin];
            }
    }
    return n;
}

int sparse_put(Sparse **kept, const void *value, size_t size, bool roomy) {
    uint64_t map[WORDS_MAX / MAP_BITS] = { 0 }, words[WORDS_MAX];
    size_t n_all = size / WORD, n_map = (n_all + MAP_BITS - 1) / MAP_BITS, n, room;
    size_t had = *kept ? (*kept)->room : 0;
    Sparse *s = *kept;

    n = pack(value, n_all, map, words);
    room = roomy ? n_all : MIN(n + SPARSE_SPARE_WORDS, n_all);
    if (!s || had < room || had > room + 2 * SPARSE_SPARE_WORDS) {
        s = with_room(s, n_map, room);
        /* what is there may be enough */
        if (!s && (!*kept || had < n || had < (roomy ? n_all : 0)))
            return -ENOMEM;
        s = s ? s : *kept;
    }
    s->n_map = (uint16_t)n_map;
    s->n = (uint16_t)n;
    memcpy(s->words, map, n_map * WORD);
    memcpy(s->words + n_map, words, n * WORD);
    *kept = s;
    return 0;
}

/* How many words are there before this one. */
static size_t rank_of(const Sparse *kept, size_t word) {
    size_t rank = 0;

    for (size_t i = 0; i < word / MAP_BITS; i++)
        rank += (size_t)__builtin_popcountll(kept->words[i]);
    if (word % MAP_BITS > 0)
        rank += (size_t)__builtin_popcountll(kept->words[word / MAP_BITS] << (MAP_BITS - word % MAP_BITS));
    return rank;
}

/* What of a word that is `from` bytes into the struct lies in the wanted part. False: it begins behind that.
 */
static bool copy_part(const uint64_t *word, size_t from, size_t offset, size_t size, char *ret) {
    size_t skip = from < offset ? offset - from : 0, end = MIN(from + WORD, offset + size);

    if (from >= offset + size)
        return false;
    if (end - from == WORD && skip == 0)
        memcpy(ret + (from - offset), word, WORD);
    else
        memcpy(ret + (from + skip - offset), (const char *)word + skip, end - from - skip);
    return true;
}

/* In pieces for which libc stores vectors: its way for 2 kB and more begins slowly. */
static void clear(char *ret, size_t size) {
    for (size_t begin = 0; begin < size; begin += CLEAR_PIECE)
        memset(ret + begin, 0, MIN(size - begin, CLEAR_PIECE));
}

void sparse_get(const Sparse *kept, size_t offset, size_t size, void *ret) {
    size_t at = offset / WORD, rank;
    uint64_t map;

    clear(ret, size);
    if (!kept)
        return;
    rank = kept->n_map + rank_of(kept, at);
    for (size_t i = at / MAP_BITS; i < kept->n_map && i * MAP_BITS * WORD < offset + size; i++)
        for (map = kept->words[i] & (i == at / MAP_BITS ? ~UINT64_C(0) << at % MAP_BITS : ~UINT64_C(0));
             map != 0; map &= map - 1) {
            size_t from = (i * MAP_BITS + (size_t)__builtin_ctzll(map)) * WORD;

            if (!copy_part(&kept->words[rank++], from, offset, size, ret))
                return;
        }
}

size_t sparse_size(const Sparse *kept) {
    return kept ? size_of(kept->n_map, kept->room) : 0;
}

void sparse_free(Sparse *kept) {
    free(kept);
}

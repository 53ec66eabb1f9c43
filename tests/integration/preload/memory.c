/* SPDX-License-Identifier: Apache-2.0 */
/* Preloaded into the daemon by test_memory.py: allocations that fail, each known by the calls that led to
 * it. Of the many allocations of one place, reached in one way, the first fails. Without the variables it
 * changes nothing.
 *
 *   MEMORY_STACKS=FILE  a line for each way to an allocation when it is seen first: its name, how many
 *                       allocations were before it, the function of a library that our code called ("-":
 *                       none), the calls in our code (offsets with commas between them, or "-"), and all
 *                       calls as object+offset; calls from the innermost on
 *   MEMORY_FAIL=NAMES   those that fail, once each, with commas between them
 *   MEMORY_LOG=FILE     a line with its name for each that failed */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <unwind.h>

/* Of glibc: what malloc() and its kin are when nobody replaces them. */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *block, size_t size);

#define OBJECTS_MAX 128
#define DEPTH_MAX   12 /* calls; what is further out makes no other way */
#define WALK_MAX    96 /* calls that are looked through for those in our code */
#define TAGS        (1U << 16)
#define CALLER      ((uintptr_t)__builtin_return_address(0))
#define SEEN_MAX    (1U << 16)
#define FAIL_MAX    64

typedef struct Object {
    uintptr_t start, end;
    char name[48];
} Object;

typedef struct Stack {
    unsigned n;
    int objects[DEPTH_MAX]; /* -1: none that was there at the start */
    uintptr_t offsets[DEPTH_MAX];
} Stack;

/* The calls in our code, and what it called there. */
typedef struct Own {
    unsigned n, n_walked;
    uintptr_t offsets[DEPTH_MAX];
    uintptr_t called; /* in a library; 0: nothing */
} Own;

/* The program first, as they were loaded; addresses differ in each run, these do not. */
static Object objects[OBJECTS_MAX];
static int n_objects, ourselves;
static uint64_t seen[SEEN_MAX];         /* under lock */
static uint64_t to_fail[FAIL_MAX];      /* under lock; 0: it has failed */
static bool may_fail[TAGS];             /* by the tag of the innermost call: most are none of these */
static unsigned n_to_fail, n_left;      /* under lock */
static unsigned long n_allocations;     /* under lock */
static int stacks_fd = -1, log_fd = -1; /* open from the start: what fails must not need others */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static bool works; /* false until set_up() is done, and when nothing is left to fail */
static __thread bool inside; /* an allocation for what is done here */

static int open_named(const char *variable) {
    const char *path = getenv(variable);

    return path ? (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)
                : -1;
}

static int add_object(struct dl_phdr_info *info, size_t size, void *userdata) {
    Object *object = &objects[n_objects];
    const char *slash = strrchr(info->dlpi_name, '/');

    (void)size;
    (void)userdata;
    if (n_objects == OBJECTS_MAX)
        return 1;
    *object = (Object){ .start = UINTPTR_MAX };
    for (int i = 0; i < info->dlpi_phnum; i++)
        if (info->dlpi_phdr[i].p_type == PT_LOAD) {
            uintptr_t start = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;

            object->start = start < object->start ? start : object->start;
            start += info->dlpi_phdr[i].p_memsz;
            object->end = start > object->end ? start : object->end;
        }
    (void)snprintf(object->name, sizeof(object->name), "%s",
                   slash            ? slash + 1
                   : n_objects == 0 ? "trailguard"
                                    : "?");
    n_objects++;
    return 0;
}

static int object_at(uintptr_t address) {
    for (int i = 0; i < n_objects; i++)
        if (address >= objects[i].start && address < objects[i].end)
            return i;
    return -1;
}

/* Where an address is, the same in each run. */
static int place_of(uintptr_t at, uintptr_t *ret_offset) {
    int i = object_at(at);

    *ret_offset = i >= 0 ? at - objects[i].start : at & 0xfff;
    return i;
}

static uint32_t tag_of(int object, uintptr_t offset) {
    return (uint32_t)(offset * 31 + (uintptr_t)(object + 1) * 0x3d4d) % TAGS;
}

__attribute__((constructor)) static void set_up(void) {
    const char *names = getenv("MEMORY_FAIL");
    char *end;

    stacks_fd = open_named("MEMORY_STACKS");
    log_fd = open_named("MEMORY_LOG");
    for (; names && *names && n_to_fail < FAIL_MAX; names = *end == ',' ? end + 1 : end) {
        to_fail[n_to_fail] = strtoull(names, &end, 16);
        if (end == names)
            break;
        may_fail[to_fail[n_to_fail++] % TAGS] = true;
    }
    n_left = n_to_fail;
    (void)dl_iterate_phdr(add_object, NULL);
    ourselves = object_at((uintptr_t)&objects);
    works = stacks_fd >= 0 || n_to_fail > 0;
}

static _Unwind_Reason_Code add_call(struct _Unwind_Context *context, void *userdata) {
    Stack *stack = userdata;
    uintptr_t offset;
    int i = place_of(_Unwind_GetIP(context), &offset);

    if (i >= 0 && i == ourselves)
        return _URC_NO_REASON;
    stack->objects[stack->n] = i;
    stack->offsets[stack->n] = offset;
    stack->n++;
    return stack->n < DEPTH_MAX ? _URC_NO_REASON : _URC_END_OF_STACK;
}

static _Unwind_Reason_Code add_own_call(struct _Unwind_Context *context, void *userdata) {
    Own *own = userdata;
    uintptr_t at = _Unwind_GetIP(context), offset;
    int i = place_of(at, &offset);

    if (i == 0)
        own->offsets[own->n++] = offset;
    else if (own->n == 0 && i != ourselves)
        own->called = at;
    return own->n < DEPTH_MAX && ++own->n_walked < WALK_MAX ? _URC_NO_REASON : _URC_END_OF_STACK;
}

/* FNV-1a, with the tag of the innermost call in the lowest bits; never 0. */
static uint64_t name_of(const Stack *stack) {
    uint64_t hash = 0xcbf29ce484222325;

    for (unsigned i = 0; i < stack->n; i++) {
        hash = (hash ^ (uint64_t)(stack->objects[i] + 1)) * 0x100000001b3;
        hash = (hash ^ stack->offsets[i]) * 0x100000001b3;
    }
    return (hash << 16 | tag_of(stack->objects[0], stack->offsets[0])) | UINT64_C(1) << 63;
}

/* False when it is known, or the table is full. */
static bool is_first(uint64_t name) {
    uint32_t i = (uint32_t)(name >> 32) % SEEN_MAX, tries = 0;

    for (; seen[i] != name && seen[i] != 0 && tries < SEEN_MAX; tries++)
        i = (i + 1) % SEEN_MAX;
    if (seen[i] != 0)
        return false;
    seen[i] = name;
    return true;
}

static void show(uint64_t name, const Stack *stack) {
    char line[DEPTH_MAX * (80 + 20) + 256];
    Dl_info called = { 0 };
    Own own = { 0 };
    int n;

    (void)_Unwind_Backtrace(add_own_call, &own);
    if (own.n > 0 && own.called)
        (void)dladdr((void *)own.called, &called);
    n = snprintf(line, sizeof(line), "%016llx %lu %.80s ", (unsigned long long)name, n_allocations,
                 called.dli_sname ? called.dli_sname : "-");
    for (unsigned i = 0; i < own.n; i++)
        n += snprintf(line + n, sizeof(line) - (size_t)n, "%s%lx", i > 0 ? "," : "",
                      (unsigned long)own.offsets[i]);
    if (own.n == 0)
        n += snprintf(line + n, sizeof(line) - (size_t)n, "-");
    for (unsigned i = 0; i < stack->n; i++)
        n += snprintf(line + n, sizeof(line) - (size_t)n, " %s+%lx",
                      stack->objects[i] >= 0 ? objects[stack->objects[i]].name : "?",
                      (unsigned long)stack->offsets[i]);
    line[n] = '\n';
    (void)syscall(SYS_write, stacks_fd, line, (size_t)n + 1);
}

static bool fails(uint64_t name) {
    for (unsigned i = 0; i < n_to_fail; i++)
        if (to_fail[i] == name) {
            char line[32];

            to_fail[i] = 0;
            n_left--;
            if (log_fd >= 0)
                (void)syscall(SYS_write, log_fd, line,
                              (size_t)snprintf(line, sizeof(line), "%016llx\n", (unsigned long long)name));
            return true;
        }
    return false;
}

/* caller: where the allocating call returns to */
__attribute__((noinline)) static bool allocation_fails(uintptr_t caller) {
    Stack stack = { 0 };
    uintptr_t offset;
    uint64_t name;
    bool failed;
    int object;

    if (!works || inside)
        return false;
    object = place_of(caller, &offset);
    if (stacks_fd < 0 && !may_fail[tag_of(object, offset)])
        return false;
    inside = true;
    (void)_Unwind_Backtrace(add_call, &stack);
    name = name_of(&stack);
    (void)pthread_mutex_lock(&lock);
    if (stacks_fd >= 0 && is_first(name))
        show(name, &stack);
    failed = fails(name);
    n_allocations++;
    works = stacks_fd >= 0 || n_left > 0;
    (void)pthread_mutex_unlock(&lock);
    inside = false;
    if (failed)
        errno = ENOMEM;
    return failed;
}

void *malloc(size_t size) {
    return allocation_fails(CALLER) ? NULL : __libc_malloc(size);
}

void *calloc(size_t n, size_t size) {
    return allocation_fails(CALLER) ? NULL : __libc_calloc(n, size);
}

void *realloc(void *block, size_t size) {
    return allocation_fails(CALLER) ? NULL : __libc_realloc(block, size);
}

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * An allocator that refuses. To be compiled with -fno-builtin: compilers know too much about malloc() otherwise.
 */
#define _GNU_SOURCE 1 /* dl_iterate_phdr */
#include "refuse.h"

#include "backend/cpu/blas.h"
#include "base/alloc.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__has_feature)
#  if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#    define REFUSE_OWN_ONLY 1
#  endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(__GLIBC__)
#  define REFUSE_OWN_ONLY 1
#endif

static struct {
    atomic_int armed, sticky, hits;
    atomic_long seen, at;
    atomic_long live; /* blocks of the whole program */
} gate;

static int refuse_now(void)
{
    long n;

    if (!atomic_load(&gate.armed))
        return 0;
    n = atomic_fetch_add(&gate.seen, 1);
    if (n != atomic_load(&gate.at) && !(n > atomic_load(&gate.at) && atomic_load(&gate.sticky)))
        return 0;
    atomic_fetch_add(&gate.hits, 1);
    return 1;
}

void refuse_arm(long at, int sticky)
{
    atomic_store(&gate.seen, 0);
    atomic_store(&gate.hits, 0);
    atomic_store(&gate.at, at);
    atomic_store(&gate.sticky, sticky);
    atomic_store(&gate.armed, 1);
}

int refuse_disarm(void)
{
    atomic_store(&gate.armed, 0);
    return atomic_load(&gate.hits);
}

#ifdef REFUSE_OWN_ONLY

static int ask_hook(void *user, size_t bytes)
{
    (void)user;
    (void)bytes;
    return refuse_now();
}

void refuse_begin(void)
{
    static const struct mdm_alloc_hook hook = {.refuse = ask_hook};

    mdm_alloc_hook_set(&hook);
}

long refuse_live(void)
{
    return mdm_alloc_live();
}

#else

#  include <errno.h>
#  include <link.h>
#  include <stdlib.h>
#  include <string.h>

void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *p, size_t bytes);
void *__libc_memalign(size_t align, size_t bytes);
void __libc_free(void *p);

/* Where BLAS and what it brings along lie, once it is loaded. */
static struct span {
    uintptr_t first, end;
} blas_span[32];
static int blas_spans;

static int find_blas(struct dl_phdr_info *info, size_t size, void *user)
{
    (void)size;
    (void)user;
    if (!strstr(info->dlpi_name, "blas") && !strstr(info->dlpi_name, "gomp") && !strstr(info->dlpi_name, "gfortran"))
        return 0;
    for (int i = 0; i < info->dlpi_phnum && blas_spans < 32; i++)
        if (info->dlpi_phdr[i].p_type == PT_LOAD) {
            blas_span[blas_spans].first = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
            blas_span[blas_spans].end = blas_span[blas_spans].first + info->dlpi_phdr[i].p_memsz;
            blas_spans++;
        }
    return 0;
}

void refuse_begin(void)
{
    (void)mdm_blas_open();
    dl_iterate_phdr(find_blas, NULL);
}

long refuse_live(void)
{
    return atomic_load(&gate.live);
}

static int refuse_caller(const void *caller)
{
    if (!atomic_load(&gate.armed))
        return 0;
    for (int i = 0; i < blas_spans; i++)
        if ((uintptr_t)caller >= blas_span[i].first && (uintptr_t)caller < blas_span[i].end)
            return 0;
    return refuse_now();
}

static void *counted(void *p)
{
    if (p)
        atomic_fetch_add(&gate.live, 1);
    return p;
}

#  define REFUSED refuse_caller(__builtin_return_address(0))

static void *none(void)
{
    errno = ENOMEM;
    return NULL;
}

/* libpng and libjpeg are to find these. */
#  pragma GCC visibility push(default)

void *malloc(size_t bytes)
{
    return REFUSED ? none() : counted(__libc_malloc(bytes));
}

void *calloc(size_t count, size_t size)
{
    return REFUSED ? none() : counted(__libc_calloc(count, size));
}

void *realloc(void *p, size_t bytes)
{
    void *q;

    if (bytes && REFUSED)
        return none();
    q = __libc_realloc(p, bytes);
    if (!p)
        return counted(q);
    if (!q && !bytes)
        atomic_fetch_sub(&gate.live, 1);
    return q;
}

void *memalign(size_t align, size_t bytes);
void *memalign(size_t align, size_t bytes)
{
    return REFUSED ? none() : counted(__libc_memalign(align, bytes));
}

void *aligned_alloc(size_t align, size_t bytes)
{
    return REFUSED ? none() : counted(__libc_memalign(align, bytes));
}

int posix_memalign(void **out, size_t align, size_t bytes)
{
    void *p = REFUSED ? NULL : counted(__libc_memalign(align, bytes));

    if (!p)
        return ENOMEM;
    *out = p;
    return 0;
}

void free(void *p)
{
    if (p)
        atomic_fetch_sub(&gate.live, 1);
    __libc_free(p);
}

#  pragma GCC visibility pop

#endif

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The C library's allocator behind a counter and a test hook. Blocks carry no header of ours, so that one
 * free() serves all kinds and memory checkers see the true blocks.
 */
#include "util/alloc.h"

#include "util/checked.h"
#include "util/error.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { CACHE_LINE = 64, HUGE_PAGE = 2 << 20 };

static struct maskdm_alloc_hook hook;
static atomic_long live;

void maskdm_alloc_hook_set(const struct maskdm_alloc_hook *h)
{
    static const struct maskdm_alloc_hook none;

    hook = h ? *h : none;
}

long maskdm_alloc_live(void)
{
    return atomic_load(&live);
}

static int refused(size_t bytes)
{
    return hook.refuse && hook.refuse(hook.user, bytes);
}

static void *counted(void *p)
{
    if (p)
        atomic_fetch_add(&live, 1);
    return p;
}

void *maskdm_malloc(size_t bytes)
{
    return refused(bytes) ? NULL : counted(malloc(bytes ? bytes : 1));
}

void *maskdm_calloc(size_t count, size_t size)
{
    size_t bytes;

    if (maskdm_mul_size(&bytes, count, size) || refused(bytes))
        return NULL;
    return counted(calloc(1, bytes ? bytes : 1));
}

void *maskdm_realloc(void *p, size_t bytes)
{
    if (!p)
        return maskdm_malloc(bytes);
    return refused(bytes) ? NULL : realloc(p, bytes ? bytes : 1);
}

void *maskdm_malloc_aligned(size_t bytes)
{
    void *p = NULL;
    size_t align = bytes >= HUGE_PAGE ? HUGE_PAGE : CACHE_LINE;

    if (refused(bytes) || posix_memalign(&p, align, bytes ? bytes : 1))
        return NULL;
#ifdef MADV_HUGEPAGE
    /* Whole huge pages only, so that the tail costs no memory that was not asked for. A refusal changes
     * nothing but speed. */
    if (bytes >= HUGE_PAGE)
        (void)madvise(p, bytes & ~((size_t)HUGE_PAGE - 1), MADV_HUGEPAGE);
#endif
    return counted(p);
}

void maskdm_free(void *p)
{
    if (p)
        atomic_fetch_sub(&live, 1);
    free(p);
}

char *maskdm_strndup(const char *s, size_t n)
{
    size_t bytes;
    char *copy;

    if (maskdm_add_size(&bytes, n, 1))
        return NULL;
    copy = maskdm_malloc(bytes);
    if (copy) {
        memcpy(copy, s, n);
        copy[n] = '\0';
    }
    return copy;
}

char *maskdm_strdup(const char *s)
{
    return maskdm_strndup(s, strlen(s));
}

void *maskdm_need(size_t count, size_t size, const char *what)
{
    size_t bytes = SIZE_MAX;
    void *p = maskdm_calloc(count, size);

    if (!p) {
        (void)maskdm_mul_size(&bytes, count, size);
        maskdm_fail_memory(bytes, what);
    }
    return p;
}

void *maskdm_need_aligned(size_t bytes, const char *what)
{
    void *p = maskdm_malloc_aligned(bytes);

    if (!p)
        maskdm_fail_memory(bytes, what);
    return p;
}

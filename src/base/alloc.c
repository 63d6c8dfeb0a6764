/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The C library's allocator, or the host's, behind a counter and a test hook. Blocks of the former carry no header of
 * ours, so that one free() serves all kinds and memory checkers see the true blocks.
 */
#include "base/alloc.h"

#include "base/checked.h"
#include "base/error.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { PLAIN = 16, CACHE_LINE = 64, HUGE_PAGE = 2 << 20 }; /* PLAIN: as malloc() aligns */

static struct mdm_alloc_hook hook;
static atomic_long live;
static struct {
    maskdm_allocate_callback allocate; /* NULL: the C library's */
    maskdm_free_callback release;
    void *user;
} lent;

/* In front of a block of the host's, who promises no alignment and is told no sizes. */
struct front {
    void *given;
    size_t bytes;
};

void mdm_alloc_hook_set(const struct mdm_alloc_hook *h)
{
    static const struct mdm_alloc_hook none;

    hook = h ? *h : none;
}

long mdm_alloc_live(void)
{
    return atomic_load(&live);
}

int mdm_alloc_lend(maskdm_allocate_callback allocate, maskdm_free_callback release, void *user)
{
    const long out = mdm_alloc_live();

    if (out)
        return mdm_fail(MASKDM_EBUSY, "another allocator cannot be set: %ld blocks of memory are out", out);
    lent.allocate = allocate;
    lent.release = release;
    lent.user = user;
    return MASKDM_OK;
}

static struct front *front_of(void *p)
{
    return (struct front *)p - 1;
}

static void *borrow(size_t bytes, size_t align)
{
    unsigned char *given, *p;
    size_t all;

    if (mdm_add_size(&all, bytes, sizeof(struct front) + align - 1))
        return NULL;
    given = lent.allocate(lent.user, all);
    if (!given)
        return NULL;
    p = given + sizeof(struct front) + align - 1;
    p -= (uintptr_t)p % align;
    *front_of(p) = (struct front){given, bytes};
    return p;
}

static void *borrow_more(void *p, size_t bytes)
{
    void *more = borrow(bytes, PLAIN);
    const size_t had = front_of(p)->bytes;

    if (more) {
        memcpy(more, p, had < bytes ? had : bytes);
        lent.release(lent.user, front_of(p)->given);
    }
    return more;
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

void *mdm_malloc(size_t bytes)
{
    if (refused(bytes))
        return NULL;
    return counted(lent.allocate ? borrow(bytes, PLAIN) : malloc(bytes ? bytes : 1));
}

void *mdm_calloc(size_t count, size_t size)
{
    size_t bytes;
    void *p;

    if (mdm_mul_size(&bytes, count, size) || refused(bytes))
        return NULL;
    if (!lent.allocate)
        return counted(calloc(1, bytes ? bytes : 1));
    p = borrow(bytes, PLAIN);
    return counted(p ? memset(p, 0, bytes) : NULL);
}

void *mdm_realloc(void *p, size_t bytes)
{
    if (!p)
        return mdm_malloc(bytes);
    if (refused(bytes))
        return NULL;
    return lent.allocate ? borrow_more(p, bytes) : realloc(p, bytes ? bytes : 1);
}

void *mdm_malloc_aligned(size_t bytes)
{
    void *p = NULL;
    size_t align = bytes >= HUGE_PAGE ? HUGE_PAGE : CACHE_LINE;

    if (refused(bytes))
        return NULL;
    if (lent.allocate)
        return counted(borrow(bytes, CACHE_LINE));
    if (posix_memalign(&p, align, bytes ? bytes : 1))
        return NULL;
#ifdef MADV_HUGEPAGE
    /* Whole huge pages only, so that the tail costs no memory that was not asked for. A refusal changes
     * nothing but speed. */
    if (bytes >= HUGE_PAGE)
        (void)madvise(p, bytes & ~((size_t)HUGE_PAGE - 1), MADV_HUGEPAGE);
#endif
    return counted(p);
}

void mdm_free(void *p)
{
    if (p)
        atomic_fetch_sub(&live, 1);
    if (p && lent.allocate)
        lent.release(lent.user, front_of(p)->given);
    else
        free(p);
}

char *mdm_strndup(const char *s, size_t n)
{
    size_t bytes;
    char *copy;

    if (mdm_add_size(&bytes, n, 1))
        return NULL;
    copy = mdm_malloc(bytes);
    if (copy) {
        memcpy(copy, s, n);
        copy[n] = '\0';
    }
    return copy;
}

char *mdm_strdup(const char *s)
{
    return mdm_strndup(s, strlen(s));
}

void *mdm_need(size_t count, size_t size, const char *what)
{
    size_t bytes = SIZE_MAX;
    void *p = mdm_calloc(count, size);

    if (!p) {
        (void)mdm_mul_size(&bytes, count, size);
        mdm_fail_memory(bytes, what);
    }
    return p;
}

void *mdm_need_aligned(size_t bytes, const char *what)
{
    void *p = mdm_malloc_aligned(bytes);

    if (!p)
        mdm_fail_memory(bytes, what);
    return p;
}

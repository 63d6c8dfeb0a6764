/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Every allocation of the library goes through here, so that a host can give memory of its own, and tests can refuse
 * the n-th one and count leaks.
 */
#ifndef MASKDM_BASE_ALLOC_H
#define MASKDM_BASE_ALLOC_H

#include <maskdm/common.h>

#include <stddef.h>

/* A test may replace these before the first handle is made; production never writes them.
 * `refuse` is asked before each allocation: non-zero makes it fail. */
struct mdm_alloc_hook {
    int (*refuse)(void *user, size_t bytes);
    void *user;
};
void mdm_alloc_hook_set(const struct mdm_alloc_hook *hook);       /* NULL restores the default */
long mdm_alloc_live(void);                                        /* blocks allocated and not yet freed */

/* See maskdm_set_allocator(). */
int mdm_alloc_lend(maskdm_allocate_callback allocate, maskdm_free_callback release, void *user);

void *mdm_malloc(size_t bytes);
void *mdm_calloc(size_t count, size_t size);    /* the product is checked */
void *mdm_realloc(void *p, size_t bytes);    /* keeps no alignment above malloc's */
/* 64-byte aligned, contents undefined; blocks of 2 MiB and more ask for huge pages where they are not the host's. */
void *mdm_malloc_aligned(size_t bytes);
void mdm_free(void *p);    /* any of the above, NULL too */
char *mdm_strdup(const char *s);
char *mdm_strndup(const char *s, size_t n);    /* exactly n bytes, none of them looked at */

/* Allocation that records MASKDM_ENOMEM with the bytes and `what` when it fails. */
void *mdm_need(size_t count, size_t size, const char *what);    /* zeroed */
void *mdm_need_aligned(size_t bytes, const char *what);         /* 64-byte aligned, contents undefined */

#endif

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Ranks that are threads of one process, with a carrier of their own: what several processes do, where sanitizers
 * and a debugger see all of it.
 */
#ifndef MASKDM_TESTS_RANKS_H
#define MASKDM_TESTS_RANKS_H

#include "base/alloc.h"
#include "comm/comm.h"

#include <check.h>
#include <pthread.h>
#include <string.h>

enum { RANKS_MOST = 8 };

/* Where the threads meet. */
struct ranks_world {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int size, arrived, turn;
    int lost; /* a rank that left in the middle, or -1 */
    int most; /* swaps of the last rank, which leaves at the next; 0: all that there are */
    const void *mine[RANKS_MOST];
};

struct ranks_carrier {
    struct mdm_carrier carrier;
    struct ranks_world *world;
    int swaps;
};

/* With the lock held: until all are here, or one never will be. */
static inline int ranks_wait(struct ranks_carrier *c)
{
    struct ranks_world *w = c->world;
    const int turn = w->turn;

    if (++w->arrived == w->size) {
        w->arrived = 0;
        w->turn++;
        pthread_cond_broadcast(&w->changed);
    }
    while (w->turn == turn && w->lost < 0)
        pthread_cond_wait(&w->changed, &w->lock);
    if (w->turn != turn)
        return MASKDM_OK;
    c->carrier.lost = w->lost;
    return mdm_fail(MASKDM_EDEVICE, "rank %d of %d has ended", w->lost, w->size);
}

static inline int ranks_exchange(struct ranks_carrier *c, char *out, const void *mine, size_t bytes, size_t each)
{
    struct ranks_world *w = c->world;
    int status;

    pthread_mutex_lock(&w->lock);
    w->mine[c->carrier.rank] = mine;
    status = ranks_wait(c);
    for (int r = 0; r < w->size && status == MASKDM_OK; r++)
        memcpy(out + (size_t)r * bytes, (const char *)w->mine[r] + (size_t)c->carrier.rank * each, bytes);
    if (status == MASKDM_OK)
        status = ranks_wait(c);
    pthread_mutex_unlock(&w->lock);
    return status;
}

static inline int ranks_gather(struct mdm_carrier *c, void *all, const void *mine, size_t bytes,
                               const atomic_int *cancel)
{
    (void)cancel;
    return ranks_exchange((struct ranks_carrier *)c, all, mine, bytes, 0);
}

static inline int ranks_swap(struct mdm_carrier *c, void *pieces, const void *mine, size_t bytes,
                             const atomic_int *cancel)
{
    struct ranks_carrier *r = (struct ranks_carrier *)c;
    struct ranks_world *w = r->world;

    (void)cancel;
    if (!w->most || c->rank != c->size - 1 || r->swaps++ < w->most)
        return ranks_exchange(r, pieces, mine, bytes, bytes);
    pthread_mutex_lock(&w->lock);
    w->lost = c->rank;
    pthread_cond_broadcast(&w->changed);
    pthread_mutex_unlock(&w->lock);
    return mdm_fail(MASKDM_EDEVICE, "rank %d has ended", c->rank);
}

static inline const char *ranks_describe(const struct mdm_carrier *c)
{
    (void)c;
    return "threads";
}

static inline void ranks_close(struct mdm_carrier *c, int well)
{
    struct ranks_world *w = ((struct ranks_carrier *)c)->world;

    pthread_mutex_lock(&w->lock);
    if (!well && w->lost < 0) {
        w->lost = c->rank;
        pthread_cond_broadcast(&w->changed);
    }
    pthread_mutex_unlock(&w->lock);
    mdm_free(c);
}

static const struct mdm_carrier_vtbl ranks_vtbl = {MDM_COMM_VERSION, sizeof ranks_vtbl, ranks_gather,
                                                   ranks_swap,       ranks_describe,    ranks_close};

struct ranks_thread {
    struct ranks_world *world;
    int rank;
    void (*body)(maskdm_comm *comm, void *arg);
    void *arg;
};

static inline void *ranks_begin(void *arg)
{
    const struct ranks_thread *t = arg;
    struct ranks_carrier *carrier = mdm_need(1, sizeof *carrier, "a carrier of threads");
    maskdm_comm *comm;

    ck_assert_ptr_nonnull(carrier);
    carrier->carrier = (struct mdm_carrier){&ranks_vtbl, t->rank, t->world->size, -1};
    carrier->world = t->world;
    ck_assert_int_eq(mdm_comm_make(&comm, &carrier->carrier), MASKDM_OK);
    t->body(comm, t->arg);
    maskdm_comm_release(&comm);
    return NULL;
}

/* body() in `size` threads, each with a rank of one communicator, the last of which is lost at its swap behind `most`
 * of them (0: it stays). */
static inline void ranks_run_until(int size, int most, void (*body)(maskdm_comm *comm, void *arg), void *arg)
{
    struct ranks_world world = {.size = size, .lost = -1, .most = most};
    struct ranks_thread told[RANKS_MOST];
    pthread_t thread[RANKS_MOST];

    ck_assert_int_le(size, RANKS_MOST);
    pthread_mutex_init(&world.lock, NULL);
    pthread_cond_init(&world.changed, NULL);
    for (int r = 0; r < size; r++) {
        told[r] = (struct ranks_thread){&world, r, body, arg};
        ck_assert_int_eq(pthread_create(&thread[r], NULL, ranks_begin, &told[r]), 0);
    }
    for (int r = 0; r < size; r++)
        pthread_join(thread[r], NULL);
    pthread_cond_destroy(&world.changed);
    pthread_mutex_destroy(&world.lock);
}

static inline void ranks_run(int size, void (*body)(maskdm_comm *comm, void *arg), void *arg)
{
    ranks_run_until(size, 0, body, arg);
}

#endif

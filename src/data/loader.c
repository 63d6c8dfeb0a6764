/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A queue of wanted images in absolute positions: taken < head <= begun by a worker < start <= not yet < tail.
 * Position p lives in queue[p % capacity] and is loaded into slot p % slots, which is free once head > p.
 */
#include "data/loader.h"

#include "base/alloc.h"
#include "base/maker.h"
#include "os/thread.h"

#include <string.h>

enum { AHEAD_BYTES = 16 << 20, AHEAD_MOST = 512 /* images */ };

struct slot {
    uint16_t *samples;
    int ready, bits, status;
};

struct mdm_loader {
    pthread_mutex_t lock;
    pthread_cond_t work, done; /* there is something to begin; something was loaded */
    pthread_t *thread;
    int threads, running, stop;
    long process;
    struct slot *slot;
    uint16_t *samples;
    int64_t slots, *queue, capacity, head, start, tail;
    size_t elements;
    mdm_load load;
    void *user;
};

static void *serve(void *arg)
{
    struct mdm_loader *l = arg;

    pthread_mutex_lock(&l->lock);
    while (!l->stop) {
        struct slot *s;
        int64_t index;
        int status;

        if (l->start == l->tail || l->start >= l->head + l->slots) {
            pthread_cond_wait(&l->work, &l->lock);
            continue;
        }
        s = &l->slot[l->start % l->slots];
        index = l->queue[l->start % l->capacity];
        s->ready = 0;
        l->start++;
        l->running++;
        pthread_mutex_unlock(&l->lock);
        status = l->load(l->user, index, s->samples, &s->bits);
        pthread_mutex_lock(&l->lock);
        s->status = status;
        s->ready = 1;
        l->running--;
        pthread_cond_broadcast(&l->done);
    }
    pthread_mutex_unlock(&l->lock);
    return NULL;
}

static int start_threads(struct mdm_loader *l, int threads)
{
    while (l->threads < threads) {
        MDM_TRY(mdm_thread_start(&l->thread[l->threads], serve, l));
        l->threads++;
    }
    return MASKDM_OK;
}

int64_t mdm_loader_slots(size_t elements, int threads)
{
    const int64_t fit = (int64_t)(AHEAD_BYTES / (elements * sizeof(uint16_t))), least = 2 * (int64_t)threads + 1;
    const int64_t slots = fit < AHEAD_MOST ? fit : AHEAD_MOST;

    return slots > least ? slots : least;
}

int mdm_loader_create(struct mdm_loader **out, int threads, int64_t slots, size_t elements, mdm_load load,
                      void *user)
{
    struct mdm_loader *l = mdm_need(1, sizeof *l, "a loader");
    int r = MASKDM_ENOMEM;

    *out = NULL;
    if (!l)
        return MASKDM_ENOMEM;
    pthread_mutex_init(&l->lock, NULL);
    pthread_cond_init(&l->work, NULL);
    pthread_cond_init(&l->done, NULL);
    l->process = mdm_maker_id();
    l->slots = slots;
    l->elements = elements;
    l->load = load;
    l->user = user;
    l->thread = mdm_need((size_t)threads + 1, sizeof *l->thread, "loader threads");
    l->slot = mdm_need((size_t)slots, sizeof *l->slot, "a loader's images");
    l->samples = mdm_need((size_t)slots * elements, sizeof *l->samples, "a loader's images");
    if (l->thread && l->slot && l->samples) {
        for (int64_t i = 0; i < slots; i++)
            l->slot[i].samples = l->samples + (size_t)i * elements;
        r = start_threads(l, threads);
    }
    *out = l;
    if (r < 0)
        mdm_loader_release(out);
    return r;
}

static void end_threads(struct mdm_loader *l)
{
    pthread_mutex_lock(&l->lock);
    l->stop = 1;
    pthread_cond_broadcast(&l->work);
    pthread_mutex_unlock(&l->lock);
    for (int i = 0; i < l->threads; i++)
        pthread_join(l->thread[i], NULL);
    pthread_cond_destroy(&l->done);
    pthread_cond_destroy(&l->work);
    pthread_mutex_destroy(&l->lock);
}

void mdm_loader_release(struct mdm_loader **loader)
{
    struct mdm_loader *l = *loader;

    *loader = NULL;
    if (!l)
        return;
    if (mdm_maker_is_here(l->process))
        end_threads(l);
    mdm_free(l->thread);
    mdm_free(l->slot);
    mdm_free(l->samples);
    mdm_free(l->queue);
    mdm_free(l);
}

/* Room for n positions from head on; the lock is held. */
static int grow(struct mdm_loader *l, int64_t n)
{
    int64_t *queue;

    if (n <= l->capacity)
        return MASKDM_OK;
    queue = mdm_need((size_t)n, sizeof *queue, "the queue of a loader");
    if (!queue)
        return MASKDM_ENOMEM;
    for (int64_t p = l->head; p < l->tail; p++)
        queue[p % n] = l->queue[p % l->capacity];
    mdm_free(l->queue);
    l->queue = queue;
    l->capacity = n;
    return MASKDM_OK;
}

/* Forget what was foretold; the lock is held. */
static void flush(struct mdm_loader *l)
{
    l->tail = l->start;
    while (l->running)
        pthread_cond_wait(&l->done, &l->lock);
    l->head = l->start;
}

int mdm_loader_expect(struct mdm_loader *l, const int64_t *index, int64_t n)
{
    int64_t same = 0;
    int r;

    if (!l->threads)
        return MASKDM_OK;
    pthread_mutex_lock(&l->lock);
    while (same < n && l->head + same < l->tail && l->queue[(l->head + same) % l->capacity] == index[same])
        same++;
    if (same < n && l->head + same < l->tail) {
        flush(l);
        same = 0;
    }
    r = grow(l, n);
    for (; r >= 0 && same < n; same++)
        l->queue[l->tail++ % l->capacity] = index[same];
    pthread_cond_broadcast(&l->work);
    pthread_mutex_unlock(&l->lock);
    return r;
}

int mdm_loader_take(struct mdm_loader *l, int64_t index, uint16_t *samples, int *bits)
{
    struct slot *s;
    int failed;

    pthread_mutex_lock(&l->lock);
    if (l->head == l->tail || l->queue[l->head % l->capacity] != index) {
        pthread_mutex_unlock(&l->lock);
        return l->load(l->user, index, samples, bits);
    }
    s = &l->slot[l->head % l->slots];
    while (l->head == l->start || !s->ready)
        pthread_cond_wait(&l->done, &l->lock);
    failed = s->status < 0;
    if (!failed)
        memcpy(samples, s->samples, l->elements * sizeof *samples);
    *bits = s->bits;
    l->head++;
    pthread_cond_broadcast(&l->work);
    pthread_mutex_unlock(&l->lock);
    /* What failed ahead of its time, for want of memory say, may work now that it counts. */
    return failed ? l->load(l->user, index, samples, bits) : MASKDM_OK;
}

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The thread pool. A loop is announced by counting `round` up; workers then claim indices from one atomic
 * counter, and the caller, who claims too, waits until every worker has left the loop. So a body and its
 * argument are never touched after mdm_pool_run() returned.
 *
 * Who waits spins for about 30 microseconds, longer than the gap between two operations of a program, and
 * only then sleeps. A sleeper counts itself in `asleep` before it looks at `round` for the last time, and the
 * announcer counts `round` up before it looks at `asleep`: with both in one total order (seq_cst) one of them
 * sees the other, so that no wake-up is lost and none is paid for when nobody sleeps.
 */
#include "os/pool.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/maker.h"
#include "os/file.h"
#include "os/thread.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

enum { SPINS = 32, CACHE_LINE = 64 }; /* looks between two readings of the clock */

static const double spin_time = 30e-6; /* seconds; a pause takes 10 to 140 cycles, so counting would not do */

struct worker {
    struct mdm_pool *pool;
    pthread_t thread;
    int index; /* 1 and up; the caller is 0 */
};

struct mdm_pool {
    int threads;
    int started; /* of worker[] */
    long process;
    struct mdm_hosted *hosted;    /* NULL: threads of ours */
    pthread_mutex_t turn; /* held by the caller whose loop runs */
    pthread_mutex_t lock; /* for the two conditions */
    pthread_cond_t work, done;
    /* the loop */
    mdm_body body;
    void *arg;
    int64_t n;
    int stop;
    /* Written by all: apart from each other and from what is only read. */
    _Alignas(CACHE_LINE) atomic_uint round;
    atomic_int asleep;
    _Alignas(CACHE_LINE) _Atomic int64_t next;
    _Alignas(CACHE_LINE) atomic_int busy; /* workers still in the loop */
    atomic_int caller_asleep;
    _Alignas(CACHE_LINE) struct worker worker[];
};

static void relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

static void claim(struct mdm_pool *p, int worker)
{
    for (;;) {
        int64_t i = atomic_fetch_add_explicit(&p->next, 1, memory_order_relaxed);

        if (i >= p->n)
            return;
        p->body(p->arg, i, worker);
    }
}

/* Until `round` is no longer `seen`; what it is now. */
static unsigned await_round(struct mdm_pool *p, unsigned seen)
{
    unsigned now;

    for (double end = mdm_clock() + spin_time; mdm_clock() < end;)
        for (int i = 0; i < SPINS; i++) {
            now = atomic_load_explicit(&p->round, memory_order_acquire);
            if (now != seen)
                return now;
            relax();
        }
    (void)pthread_mutex_lock(&p->lock);
    atomic_fetch_add(&p->asleep, 1);
    while ((now = atomic_load(&p->round)) == seen)
        (void)pthread_cond_wait(&p->work, &p->lock);
    atomic_fetch_sub(&p->asleep, 1);
    (void)pthread_mutex_unlock(&p->lock);
    return now;
}

static void leave(struct mdm_pool *p)
{
    if (atomic_fetch_sub(&p->busy, 1) != 1 || !atomic_load(&p->caller_asleep))
        return;
    (void)pthread_mutex_lock(&p->lock);
    (void)pthread_cond_signal(&p->done);
    (void)pthread_mutex_unlock(&p->lock);
}

static void await_workers(struct mdm_pool *p)
{
    for (double end = mdm_clock() + spin_time; mdm_clock() < end;)
        for (int i = 0; i < SPINS; i++) {
            if (!atomic_load_explicit(&p->busy, memory_order_acquire))
                return;
            relax();
        }
    (void)pthread_mutex_lock(&p->lock);
    atomic_store(&p->caller_asleep, 1);
    while (atomic_load(&p->busy))
        (void)pthread_cond_wait(&p->done, &p->lock);
    atomic_store(&p->caller_asleep, 0);
    (void)pthread_mutex_unlock(&p->lock);
}

static void *serve(void *arg)
{
    const struct worker *w = arg;
    struct mdm_pool *p = w->pool;
    unsigned seen = 0;

    for (;;) {
        seen = await_round(p, seen);
        if (p->stop)
            return NULL;
        claim(p, w->index);
        leave(p);
    }
}

static void announce(struct mdm_pool *p)
{
    atomic_fetch_add(&p->round, 1);
    if (!atomic_load(&p->asleep))
        return;
    (void)pthread_mutex_lock(&p->lock);
    (void)pthread_cond_broadcast(&p->work);
    (void)pthread_mutex_unlock(&p->lock);
}

static int start_workers(struct mdm_pool *p)
{
    for (int i = 1; i < p->threads; i++) {
        struct worker *w = &p->worker[p->started];
        int status;

        w->pool = p;
        w->index = i;
        status = mdm_thread_start(&w->thread, serve, w);
        if (status)
            return mdm_fail_prefix(status, "worker thread %d of %d", i, p->threads - 1);
        p->started++;
    }
    return MASKDM_OK;
}

/* A lock that notices its own holder: a host's loop that calls us again would wait for itself. */
static void make_turn(pthread_mutex_t *turn)
{
    pthread_mutexattr_t a;

    (void)pthread_mutexattr_init(&a);
    (void)pthread_mutexattr_settype(&a, PTHREAD_MUTEX_ERRORCHECK);
    (void)pthread_mutex_init(turn, &a);
    (void)pthread_mutexattr_destroy(&a);
}

int mdm_pool_create(struct mdm_pool **out, int threads, maskdm_parallel_callback host, void *host_user)
{
    struct mdm_pool *p;
    int workers = host ? 0 : threads - 1, status = MASKDM_OK;
    size_t bytes;

    *out = NULL;
    if (threads < 1)
        return mdm_fail(MASKDM_EINVAL, "a pool needs at least 1 thread, not %d", threads);
    bytes = sizeof *p + (size_t)workers * sizeof *p->worker;
    p = mdm_need_aligned(bytes, "a thread pool");
    if (!p)
        return MASKDM_ENOMEM;
    memset(p, 0, bytes);
    p->threads = threads;
    p->process = mdm_maker_id();
    make_turn(&p->turn);
    /* With default attributes none of these can fail on the systems that we know. */
    (void)pthread_mutex_init(&p->lock, NULL);
    (void)pthread_cond_init(&p->work, NULL);
    (void)pthread_cond_init(&p->done, NULL);
    if (workers)
        status = start_workers(p);
    if (host)
        status = mdm_hosted_create(&p->hosted, threads, host, host_user);
    if (status < 0)
        mdm_pool_release(&p);
    *out = p;
    return status;
}

void mdm_pool_release(struct mdm_pool **pool)
{
    struct mdm_pool *p = *pool;

    *pool = NULL;
    if (!p)
        return;
    if (!mdm_maker_is_here(p->process)) {
        mdm_hosted_release(&p->hosted);
        mdm_free(p);
        return;
    }
    p->stop = 1;
    announce(p);
    for (int i = 0; i < p->started; i++)
        (void)pthread_join(p->worker[i].thread, NULL);
    (void)pthread_cond_destroy(&p->done);
    (void)pthread_cond_destroy(&p->work);
    (void)pthread_mutex_destroy(&p->lock);
    (void)pthread_mutex_destroy(&p->turn);
    mdm_hosted_release(&p->hosted);
    mdm_free(p);
}

int mdm_pool_threads(const struct mdm_pool *p)
{
    return p ? p->threads : 1;
}

static void run_here(int64_t n, mdm_body body, void *arg)
{
    for (int64_t i = 0; i < n; i++)
        body(arg, i, 0);
}

int mdm_pool_run(struct mdm_pool *p, int64_t n, mdm_body body, void *arg)
{
    int status = MASKDM_OK;

    if (n <= 0)
        return MASKDM_OK;
    if (!p) {
        run_here(n, body, arg);
        return MASKDM_OK;
    }
    /* Also where nothing runs at once: worker 0's scratch belongs to one caller at a time. */
    if (pthread_mutex_lock(&p->turn) == EDEADLK)
        return mdm_fail(MASKDM_EBUSY, "the device is at work: the host's parallel loop cannot use it");
    if (p->hosted) {
        status = mdm_hosted_run(p->hosted, n, body, arg);
    } else if (!p->started || n == 1) {
        run_here(n, body, arg);
    } else {
        p->body = body;
        p->arg = arg;
        p->n = n;
        atomic_store_explicit(&p->next, 0, memory_order_relaxed);
        atomic_store_explicit(&p->busy, p->started, memory_order_relaxed);
        announce(p);
        claim(p, 0);
        await_workers(p);
    }
    (void)pthread_mutex_unlock(&p->turn);
    return status;
}

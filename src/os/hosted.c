/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A host's parallel loop, held to its contract. Its calls come from code that is not ours, so each is judged before
 * it does anything: one whose worker number is wrong or in use runs nothing, and the index that runs is the next one
 * of our own counter, not the one that the host named. So no index runs twice or out of range, no worker runs two at
 * once, and what the host did wrong is said when its loop has returned.
 *
 * Calls may even come, or still run, after the loop has returned. Those that run are waited for; those that come find
 * no loop open. For their sake the loop's argument is this struct, which lives as long as the device, and never a
 * caller's stack.
 */
#include "base/alloc.h"
#include "base/error.h"
#include "os/pool.h"

#include <stdatomic.h>
#include <time.h>

enum fault { NONE, BAD_WORKER, BAD_INDEX, SHARED_WORKER, ONE_MORE };

struct mdm_hosted {
    maskdm_parallel_callback loop;
    void *user;
    int workers;
    /* the loop under way */
    mdm_body body;
    void *arg;
    int64_t n;
    atomic_int open, running;   /* whether there is one; calls that are inside */
    _Atomic int64_t next, done; /* indices begun, and finished */
    _Atomic uint64_t sum;       /* of the indices that the host named */
    atomic_int fault;           /* the first one, and its number */
    _Atomic int64_t number;
    atomic_uchar in_use[]; /* by worker */
};

int mdm_hosted_create(struct mdm_hosted **out, int workers, maskdm_parallel_callback loop, void *user)
{
    struct mdm_hosted *h = mdm_need(1, sizeof *h + (size_t)workers * sizeof *h->in_use, "the host's loop");

    *out = h;
    if (!h)
        return MASKDM_ENOMEM;
    h->loop = loop;
    h->user = user;
    h->workers = workers;
    return MASKDM_OK;
}

void mdm_hosted_release(struct mdm_hosted **h)
{
    mdm_free(*h);
    *h = NULL;
}

static void note(struct mdm_hosted *h, enum fault fault, int64_t number)
{
    int none = NONE;

    if (atomic_compare_exchange_strong(&h->fault, &none, (int)fault))
        atomic_store(&h->number, number);
}

static void run_next(struct mdm_hosted *h, int64_t named, int worker)
{
    int64_t i = atomic_fetch_add(&h->next, 1);

    if (i >= h->n) {
        note(h, ONE_MORE, named);
        return;
    }
    atomic_fetch_add(&h->sum, (uint64_t)named);
    h->body(h->arg, i, worker);
    atomic_fetch_add(&h->done, 1);
}

static void judge(struct mdm_hosted *h, int64_t i, int worker)
{
    if (worker < 0 || worker >= h->workers) {
        note(h, BAD_WORKER, worker);
    } else if (i < 0 || i >= h->n) {
        note(h, BAD_INDEX, i);
    } else if (atomic_exchange(&h->in_use[worker], 1)) {
        note(h, SHARED_WORKER, worker);
    } else {
        run_next(h, i, worker);
        atomic_store(&h->in_use[worker], 0);
    }
}

/* What the host calls. It counts itself in before it looks whether a loop is open, and who closes the loop does the
 * opposite: one of them sees the other. */
static void call(void *arg, int64_t i, int worker)
{
    struct mdm_hosted *h = arg;

    atomic_fetch_add(&h->running, 1);
    if (atomic_load(&h->open))
        judge(h, i, worker);
    atomic_fetch_sub(&h->running, 1);
}

/* Close the loop; whether calls were still inside. */
static int close_loop(struct mdm_hosted *h)
{
    const struct timespec pause = {.tv_nsec = 50000};
    int early;

    atomic_store(&h->open, 0);
    early = atomic_load(&h->running) != 0;
    while (atomic_load(&h->running))
        (void)nanosleep(&pause, NULL);
    return early;
}

static int explain_fault(int fault, long long number, int workers)
{
    if (fault == BAD_WORKER)
        return mdm_fail(MASKDM_EDEVICE, "the host's parallel loop called worker %lld; there are 0 .. %d", number,
                        workers - 1);
    if (fault == BAD_INDEX)
        return mdm_fail(MASKDM_EDEVICE, "the host's parallel loop ran index %lld, which the loop has not", number);
    if (fault == SHARED_WORKER)
        return mdm_fail(MASKDM_EDEVICE, "the host's parallel loop made two calls at once as worker %lld", number);
    return mdm_fail(MASKDM_EDEVICE, "the host's parallel loop ran index %lld when all were done", number);
}

static int explain(const struct mdm_hosted *h, int early)
{
    const int64_t n = h->n, done = atomic_load(&h->done);

    if (atomic_load(&h->fault))
        return explain_fault(atomic_load(&h->fault), (long long)atomic_load(&h->number), h->workers);
    if (early || done != n)
        return mdm_fail(MASKDM_EDEVICE, "the host's parallel loop returned before all of %lld indices were done",
                        (long long)n);
    if (atomic_load(&h->sum) != (uint64_t)(n % 2 ? n : n - 1) * (uint64_t)(n / 2))
        return mdm_fail(MASKDM_EDEVICE, "the host's parallel loop ran an index twice and left out another");
    return MASKDM_OK;
}

int mdm_hosted_run(struct mdm_hosted *h, int64_t n, mdm_body body, void *arg)
{
    h->body = body;
    h->arg = arg;
    h->n = n;
    atomic_store(&h->next, 0);
    atomic_store(&h->done, 0);
    atomic_store(&h->sum, 0);
    atomic_store(&h->fault, NONE);
    atomic_store(&h->open, 1);
    h->loop(h->user, n, call, h);
    return explain(h, close_loop(h));
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "comm/mpi/watch.h"

#include <signal.h>
#include <string.h>
#include <time.h>

enum { TAG = 1, MOST_HEARD = 64 }; /* pulses a look, so that nobody can keep it busy */
static const double LEAST_BETWEEN = 0.01; /* seconds between two looks at processes, which ask the kernel */

double mdm_watch_clock(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void note_loss(struct mdm_watch *w, int rank, enum mdm_loss_of_rank how)
{
    if (w->lost >= 0 || rank < 0 || rank >= w->size || rank == w->rank)
        return;
    w->lost = rank;
    w->how = how;
}

/* Whether a pulse goes this way: between rank 0 and the others. */
static int is_contact(const struct mdm_watch *w, int rank)
{
    return rank != w->rank && (w->rank == 0 || rank == 0);
}

static void hear(struct mdm_watch *w)
{
    for (int i = 0; i < MOST_HEARD; i++) {
        struct mdm_pulse pulse;
        MPI_Status from;
        int here = 0;

        if (MPI_Iprobe(MPI_ANY_SOURCE, TAG, w->comm, &here, &from) != MPI_SUCCESS || !here ||
            MPI_Recv(&pulse, sizeof pulse, MPI_BYTE, from.MPI_SOURCE, TAG, w->comm, MPI_STATUS_IGNORE) != MPI_SUCCESS)
            return;
        w->peer[from.MPI_SOURCE].heard = mdm_watch_clock();
        if (pulse.kind == MDM_PULSE_LEAVES)
            w->peer[from.MPI_SOURCE].left = pulse.exchanges;
        if (pulse.kind == MDM_PULSE_LOST)
            note_loss(w, pulse.rank == w->rank ? from.MPI_SOURCE : pulse.rank, MDM_RANK_MISSED);
    }
}

/* One that is still on its way to somebody who does not take it is not sent again. */
static void send_pulse(struct mdm_watch *w, MPI_Request *request, const struct mdm_pulse *pulse, int rank)
{
    int done = 1;

    if (*request != MPI_REQUEST_NULL && (MPI_Test(request, &done, MPI_STATUS_IGNORE) != MPI_SUCCESS || !done))
        return;
    if (MPI_Isend(pulse, sizeof *pulse, MPI_BYTE, rank, TAG, w->comm, request) != MPI_SUCCESS)
        *request = MPI_REQUEST_NULL;
}

static void tell_here(struct mdm_watch *w, double now)
{
    if (now - w->last < w->every)
        return;
    w->last = now;
    for (int r = 0; r < w->size; r++)
        if (is_contact(w, r))
            send_pulse(w, &w->peer[r].sent, &w->here, r);
}

/* One that lost another said so before it ended, which MPI may hand over only when it is asked again. */
static void note_end(struct mdm_watch *w, int rank)
{
    for (int i = 0; i < 3; i++)
        hear(w);
    if (w->peer[rank].left < 0)
        note_loss(w, rank, MDM_RANK_ENDED);
}

static void look_around(struct mdm_watch *w, double now)
{
    const struct mdm_whereabouts *own = &w->peer[w->rank].at;

    if (now - w->looked < LEAST_BETWEEN)
        return;
    w->looked = now;
    for (int r = 0; r < w->size; r++) {
        if (w->peer[r].left >= 0)
            continue;
        if (r != w->rank && mdm_has_ended(&w->peer[r].at, own))
            note_end(w, r);
        if (w->running && is_contact(w, r) && now - w->peer[r].heard > w->patience)
            note_loss(w, r, MDM_RANK_SILENT);
    }
}

void mdm_watch_look(struct mdm_watch *w)
{
    const double now = mdm_watch_clock();

    hear(w);
    tell_here(w, now);
    look_around(w, now);
}

void mdm_watch_tell(struct mdm_watch *w, enum mdm_pulse_kind kind, int rank, int64_t exchanges)
{
    pthread_mutex_lock(&w->lock);
    if (!w->noticed) {
        w->noticed = 1;
        w->notice = (struct mdm_pulse){kind, rank, exchanges};
        for (int r = 0; r < w->size; r++)
            if (is_contact(w, r))
                send_pulse(w, &w->peer[r].told, &w->notice, r);
    }
    pthread_mutex_unlock(&w->lock);
}

static const char *name_loss(enum mdm_loss_of_rank how)
{
    static const char *const said[] = {"has ended", "is silent", "is missed by the others"};

    return said[how];
}

int mdm_watch_judge(struct mdm_watch *w, int64_t k, int *lost)
{
    for (int r = 0; r < w->size; r++)
        if (w->peer[r].left >= 0 && w->peer[r].left < k) {
            *lost = r;
            return w->host->record(MASKDM_EDEVICE, "rank %d of %d (process %lld on %s) has left the others", r,
                                   w->size, (long long)w->peer[r].at.process, w->peer[r].at.host);
        }
    if (w->lost < 0)
        return MASKDM_OK;
    *lost = w->lost;
    return w->host->record(MASKDM_EDEVICE, "rank %d of %d (process %lld on %s) %s", w->lost, w->size,
                           (long long)w->peer[w->lost].at.process, w->peer[w->lost].at.host, name_loss(w->how));
}

/* ---- the thread ---- */

static void pause_for(double seconds)
{
    const struct timespec t = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};

    (void)nanosleep(&t, NULL);
}

static void *keep_looking(void *arg)
{
    struct mdm_watch *w = arg;

    for (;;) {
        int end;

        pthread_mutex_lock(&w->lock);
        end = w->end;
        if (!end)
            mdm_watch_look(w);
        pthread_mutex_unlock(&w->lock);
        if (end)
            return NULL;
        pause_for(0.05);
    }
}

/* It takes none of the host's signals. */
static int start_thread(struct mdm_watch *w)
{
    sigset_t all, before;
    int failed;

    sigfillset(&all);
    if (pthread_sigmask(SIG_BLOCK, &all, &before) != 0)
        return w->host->record(MASKDM_EDEVICE, "cannot block signals for a thread");
    w->running = 1; /* read by the thread, and never written again before it has ended */
    failed = pthread_create(&w->thread, NULL, keep_looking, w);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed)
        w->running = 0;
    return failed ? w->host->record(MASKDM_ENOMEM, "cannot start a thread: %s", strerror(failed)) : MASKDM_OK;
}

/* ---- begin and end ---- */

static int find_others(struct mdm_watch *w)
{
    struct mdm_whereabouts own, *all = w->host->need((size_t)w->size, sizeof *all, "whereabouts of ranks");
    int status = all ? MASKDM_OK : MASKDM_ENOMEM;

    mdm_locate(&own);
    if (status == MASKDM_OK &&
        MPI_Allgather(&own, sizeof own, MPI_BYTE, all, sizeof own, MPI_BYTE, w->comm) != MPI_SUCCESS)
        status = w->host->record(MASKDM_EDEVICE, "MPI cannot tell the ranks of each other");
    for (int r = 0; r < w->size && status == MASKDM_OK; r++)
        w->peer[r] = (struct mdm_peer){
            .at = all[r], .heard = mdm_watch_clock(), .left = -1, .sent = MPI_REQUEST_NULL, .told = MPI_REQUEST_NULL};
    w->host->free(all);
    return status;
}

int mdm_watch_begin(struct mdm_watch *w, const struct mdm_comm_host *host, MPI_Comm comm, double patience,
                    int threads)
{
    int status;

    *w = (struct mdm_watch){.host = host, .patience = patience, .every = patience < 5 ? patience / 5 : 1, .lost = -1};
    w->comm = comm;
    MPI_Comm_rank(comm, &w->rank);
    MPI_Comm_size(comm, &w->size);
    w->here = (struct mdm_pulse){MDM_PULSE_HERE, w->rank, 0};
    w->peer = host->need((size_t)w->size, sizeof *w->peer, "ranks");
    if (!w->peer)
        return MASKDM_ENOMEM;
    status = find_others(w);
    if (status == MASKDM_OK && pthread_mutex_init(&w->lock, NULL) != 0)
        status = host->record(MASKDM_ENOMEM, "cannot make a lock");
    if (status == MASKDM_OK && threads && w->size > 1) {
        status = start_thread(w);
        if (status < 0)
            pthread_mutex_destroy(&w->lock);
    }
    if (status < 0)
        host->free(w->peer);
    return status;
}

/* What is under way has some time to arrive. */
static void flush(struct mdm_watch *w)
{
    const double until = mdm_watch_clock() + 0.5;

    for (int r = 0; r < w->size; r++) {
        MPI_Request *request[] = {&w->peer[r].sent, &w->peer[r].told};

        for (size_t i = 0; i < 2; i++)
            for (int done = 0; *request[i] != MPI_REQUEST_NULL && !done;) {
                if (MPI_Test(request[i], &done, MPI_STATUS_IGNORE) != MPI_SUCCESS || mdm_watch_clock() > until)
                    break;
                if (!done)
                    pause_for(0.001);
            }
    }
    hear(w);
}

void mdm_watch_end(struct mdm_watch *w)
{
    pthread_mutex_lock(&w->lock);
    w->end = 1;
    pthread_mutex_unlock(&w->lock);
    if (w->running)
        pthread_join(w->thread, NULL);
    flush(w);
    pthread_mutex_destroy(&w->lock);
    w->host->free(w->peer);
}

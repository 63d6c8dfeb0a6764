/* SPDX-License-Identifier: BSD-2-Clause
 *
 * MPI as a carrier. Exchanges are begun and then looked after, not waited for within MPI: a rank that is gone would
 * let MPI wait for ever.
 */
#include "comm/mpi/watch.h"

#include <limits.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct mpi {
    struct mdm_carrier carrier;
    const struct mdm_comm_host *host;
    MPI_Comm comm;
    struct mdm_watch watch;
    int64_t exchanges; /* that were begun */
    int begun_here;    /* MPI is ours to end */
    char text[MPI_MAX_LIBRARY_VERSION_STRING + 32];
};

static int fail(const struct mdm_comm_host *host, const char *what, int code)
{
    char why[MPI_MAX_ERROR_STRING] = "";
    int length;

    if (MPI_Error_string(code, why, &length) != MPI_SUCCESS)
        *why = '\0';
    return host->record(MASKDM_EDEVICE, "MPI cannot %s: %.200s", what, why);
}

/* ---- waiting ---- */

enum { SPINS = 500 };
static const double grace = 5; /* seconds of waiting for the others once this process is told to drop all */

static void pause_a_little(int turn)
{
    const struct timespec t = {0, turn < SPINS + 200 ? 20000 : 500000};

    if (turn < SPINS)
        (void)sched_yield();
    else
        (void)nanosleep(&t, NULL);
}

/* Whether the request is done, or cannot be any more. It looks for the others before it asks, so that what one had
 * sent before it was gone still counts. */
static int look(struct mpi *m, MPI_Request *request, int turn, int *done)
{
    const int looks = turn % 16 == 15;
    int code, status = MASKDM_OK;

    pthread_mutex_lock(&m->watch.lock);
    if (looks)
        mdm_watch_look(&m->watch);
    code = MPI_Test(request, done, MPI_STATUS_IGNORE);
    if (code == MPI_SUCCESS && !*done && looks)
        status = mdm_watch_judge(&m->watch, m->exchanges, &m->carrier.lost);
    pthread_mutex_unlock(&m->watch.lock);
    return code == MPI_SUCCESS ? status : fail(m->host, "carry an exchange to its end", code);
}

static int wait_for(struct mpi *m, MPI_Request *request, const atomic_int *cancel)
{
    double until = 0;
    int done = 0, status;

    for (int turn = 0; !done; turn = turn < INT_MAX ? turn + 1 : SPINS) {
        status = look(m, request, turn, &done);
        if (status < 0)
            mdm_watch_tell(&m->watch, MDM_PULSE_LOST, m->carrier.lost, m->exchanges);
        if (status < 0 || done)
            return status;
        if (cancel && atomic_load(cancel)) {
            const double now = mdm_watch_clock();

            until = until > 0 ? until : now + grace;
            if (now > until) {
                mdm_watch_tell(&m->watch, MDM_PULSE_LEAVES, m->carrier.rank, m->exchanges - 1);
                return m->host->record(MASKDM_ECANCELED, "waiting for the other ranks was cancelled");
            }
        }
        pause_a_little(turn);
    }
    return MASKDM_OK;
}

/* ---- exchanges ---- */

static int finish(struct mpi *m, MPI_Request *request, int code, const atomic_int *cancel)
{
    if (code != MPI_SUCCESS)
        return fail(m->host, "begin an exchange", code);
    return wait_for(m, request, cancel);
}

static int check_size(const struct mpi *m, size_t bytes)
{
    return bytes <= INT_MAX ? MASKDM_OK
                            : m->host->record(MASKDM_EINVAL, "%zu bytes are more than MPI exchanges at once", bytes);
}

typedef int exchange_begin(const void *mine, int count, MPI_Datatype type, void *theirs, int each, MPI_Datatype of,
                           MPI_Comm comm, MPI_Request *request);

static int exchange(struct mdm_carrier *c, exchange_begin *begin, void *theirs, const void *mine, size_t bytes,
                    const atomic_int *cancel)
{
    struct mpi *m = (struct mpi *)c;
    MPI_Request request;
    int code;

    MDM_TRY(check_size(m, bytes));
    pthread_mutex_lock(&m->watch.lock);
    m->exchanges++;
    code = begin(mine, (int)bytes, MPI_BYTE, theirs, (int)bytes, MPI_BYTE, m->comm, &request);
    pthread_mutex_unlock(&m->watch.lock);
    return finish(m, &request, code, cancel);
}

static int gather(struct mdm_carrier *c, void *all, const void *mine, size_t bytes, const atomic_int *cancel)
{
    return exchange(c, MPI_Iallgather, all, mine, bytes, cancel);
}

static int swap(struct mdm_carrier *c, void *pieces, const void *mine, size_t bytes, const atomic_int *cancel)
{
    return exchange(c, MPI_Ialltoall, pieces, mine, bytes, cancel);
}

static const char *describe(const struct mdm_carrier *c)
{
    return ((const struct mpi *)c)->text;
}

/* ---- the end ---- */

/* Whether all have come to their end, so that MPI may be told so, which would wait for them without an end. */
static int part(struct mpi *m)
{
    MPI_Request request;
    int code;

    mdm_watch_tell(&m->watch, MDM_PULSE_LEAVES, m->carrier.rank, m->exchanges);
    pthread_mutex_lock(&m->watch.lock);
    code = MPI_Ibarrier(m->watch.comm, &request); /* not where others may be in the middle of an exchange */
    pthread_mutex_unlock(&m->watch.lock);
    return finish(m, &request, code, NULL);
}

static void close_mpi(struct mdm_carrier *c, int well)
{
    struct mpi *m = (struct mpi *)c;
    const struct mdm_comm_host *host = m->host;

    if (well < 0) { /* a forked process has neither the thread nor MPI */
        host->free(m);
        return;
    }
    well = well && part(m) == MASKDM_OK;
    if (!well)
        mdm_watch_tell(&m->watch, MDM_PULSE_LEAVES, c->rank, m->exchanges - 1);
    mdm_watch_end(&m->watch);
    if (well) {
        MPI_Comm_free(&m->watch.comm);
        MPI_Comm_free(&m->comm);
        if (m->begun_here)
            MPI_Finalize();
    }
    host->free(m);
}

static const struct mdm_carrier_vtbl vtbl = {MDM_COMM_VERSION, sizeof vtbl, gather, swap, describe, close_mpi};

/* ---- the beginning ---- */

static int begin_mpi(struct mpi *m, int *threads)
{
    int begun = 0, ended = 0, provided = MPI_THREAD_SINGLE, code = MPI_SUCCESS;

    MPI_Initialized(&begun);
    MPI_Finalized(&ended);
    if (ended)
        return m->host->record(MASKDM_ENOTSUP,
                               "MPI was ended in this process, and it begins only once; a host that opens several "
                               "communicators begins MPI itself, and ends it behind the last of them");
    if (begun)
        code = MPI_Query_thread(&provided);
    else
        code = MPI_Init_thread(NULL, NULL, MPI_THREAD_SERIALIZED, &provided);
    m->begun_here = !begun;
    *threads = provided >= MPI_THREAD_SERIALIZED;
    return code == MPI_SUCCESS ? MASKDM_OK : fail(m->host, "begin", code);
}

/* A launcher of another MPI starts processes each of which is alone in its world, and they would all train the same.
 */
static int check_launcher(const struct mpi *m)
{
    static const char *const counts[] = {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "MPI_LOCALNRANKS"};

    for (size_t i = 0; i < MDM_LENGTH(counts) && m->carrier.size == 1; i++) {
        const char *told = getenv(counts[i]);

        if (told && strcmp(told, "1") != 0)
            return m->host->record(MASKDM_ENOTSUP,
                                   "the launcher has started %.20s processes (%s), and %s is alone in each of them: "
                                   "launcher and module are not of one MPI",
                                   told, counts[i], m->text);
    }
    return MASKDM_OK;
}

static void name_library(struct mpi *m)
{
    char version[MPI_MAX_LIBRARY_VERSION_STRING] = "";
    int length;

    if (MPI_Get_library_version(version, &length) != MPI_SUCCESS)
        *version = '\0';
    for (char *s = version; *s; s++)
        *s = (char)(*s == '\t' ? ' ' : *s);
    version[strcspn(version, ",\n")] = '\0'; /* behind which it says how it was built */
    strcpy(m->text, "mpi (");
    strcat(m->text, version);
    strcat(m->text, ")");
}

static int join(struct mpi *m, const struct mdm_comm_settings *s)
{
    MPI_Comm watched;
    int threads = 0;

    MDM_TRY(begin_mpi(m, &threads));
    name_library(m);
    if (MPI_Comm_dup(MPI_COMM_WORLD, &m->comm) != MPI_SUCCESS ||
        MPI_Comm_dup(MPI_COMM_WORLD, &watched) != MPI_SUCCESS)
        return m->host->record(MASKDM_EDEVICE, "MPI cannot duplicate MPI_COMM_WORLD");
    MPI_Comm_set_errhandler(m->comm, MPI_ERRORS_RETURN);
    MPI_Comm_set_errhandler(watched, MPI_ERRORS_RETURN);
    MPI_Comm_rank(m->comm, &m->carrier.rank);
    MPI_Comm_size(m->comm, &m->carrier.size);
    MDM_TRY(check_launcher(m));
    return mdm_watch_begin(&m->watch, m->host, watched, s->patience, threads);
}

static int open_mpi(struct mdm_carrier **out, const struct mdm_comm_host *host, const struct mdm_comm_settings *s)
{
    struct mpi *m = host->need(1, sizeof *m, "a communicator");
    int status;

    *out = NULL;
    if (!m)
        return MASKDM_ENOMEM;
    m->carrier = (struct mdm_carrier){&vtbl, 0, 1, -1};
    m->host = host;
    status = join(m, s);
    if (status < 0) {
        if (m->begun_here && m->carrier.size == 1)
            MPI_Finalize();
        host->free(m);
        return status;
    }
    *out = &m->carrier;
    return MASKDM_OK;
}

static const struct mdm_comm_module module = {"mpi", &vtbl, open_mpi};

/* What the library finds by name. */
__attribute__((visibility("default"))) const struct mdm_comm_module *mdm_comm_module(void);

const struct mdm_comm_module *mdm_comm_module(void)
{
    return &module;
}

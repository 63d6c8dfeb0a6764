/* SPDX-License-Identifier: BSD-2-Clause
 *
 * BLAS under threads. Which OpenBLAS runs is the administrator's choice, so its flavour is asked at run time, and
 * each has its own trap (Debian 12's 0.3.21):
 *   serial: wrong results when two threads call it at once, so one caller at a time;
 *   pthread: its thread count is process-wide, so a counted guard sets it to 1 and back; breaks beyond 64 callers;
 *   OpenMP: the count is per calling thread, and belongs to the host on a thread of the host.
 * Of another CBLAS nothing is known: one caller at a time. Each maps an area for every thread that calls, and tries
 * for ever where the system refuses: a thread's first call is made when its area is seen to be had, else not at all.
 */
#include "backend/cpu/blas.h"

#include "backend/cpu/blas_library.h"
#include "base/error.h"
#include "base/maker.h"
#include "os/limits.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

enum { SERIAL = 0, PTHREAD = 1, OPENMP = 2, OTHER = 3, MOST_CALLERS = 64 };
static const size_t AREA = (128 << 20) + (2 << 20); /* of 0.3.21 on x86-64, the largest that is known */

/* What was found, once for the process; written before a device that uses it is open. */
static pthread_mutex_t library_lock = PTHREAD_MUTEX_INITIALIZER;
static struct mdm_blas_library library;

static int find_flavour(void)
{
    int f = library.get_parallel ? library.get_parallel() : OTHER;

    if ((f == PTHREAD && !(library.get_num_threads && library.set_num_threads)) ||
        (f == OPENMP && !(library.omp_get_max_threads && library.omp_set_num_threads)))
        return OTHER;
    return f >= SERIAL && f <= OPENMP ? f : OTHER;
}

int mdm_blas_is_built(void)
{
    return 1;
}

const char *mdm_blas_name(void)
{
    static const char *const name[] = {"OpenBLAS serial", "OpenBLAS pthread", "OpenBLAS OpenMP", "CBLAS"};

    return name[find_flavour()];
}

const char *mdm_blas_core(void)
{
    return library.get_corename ? library.get_corename() : NULL;
}

/* Prescott's are its kernels for an x86-64 that it does not know. Processors that have AVX are not of that age. */
int mdm_blas_is_lost(void)
{
#ifdef __x86_64__
    return mdm_blas_core() && strcmp(mdm_blas_core(), "Prescott") == 0 && __builtin_cpu_supports("avx");
#else
    return 0;
#endif
}

/* The guard: how many stand, and what the host had set before the first. */
static pthread_mutex_t guard_lock = PTHREAD_MUTEX_INITIALIZER;
static int guards, host_threads;

void mdm_blas_guard(void)
{
    if (find_flavour() != PTHREAD)
        return;
    pthread_mutex_lock(&guard_lock);
    if (guards++ == 0) {
        host_threads = library.get_num_threads();
        if (host_threads != 1)
            library.set_num_threads(1);
    }
    pthread_mutex_unlock(&guard_lock);
}

void mdm_blas_unguard(void)
{
    if (find_flavour() != PTHREAD)
        return;
    pthread_mutex_lock(&guard_lock);
    if (--guards == 0 && host_threads != 1)
        library.set_num_threads(host_threads);
    pthread_mutex_unlock(&guard_lock);
}

/* Seats for callers, over all devices of the process. */
static pthread_mutex_t seat_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t seat_free = PTHREAD_COND_INITIALIZER;
static int seated;

static void sit_down(int seats)
{
    pthread_mutex_lock(&seat_lock);
    while (seated >= seats)
        pthread_cond_wait(&seat_free, &seat_lock);
    seated++;
    pthread_mutex_unlock(&seat_lock);
}

static void stand_up(void)
{
    pthread_mutex_lock(&seat_lock);
    seated--;
    pthread_cond_signal(&seat_free);
    pthread_mutex_unlock(&seat_lock);
}

/* One thread at a time, so that each finds the room that it takes. */
static pthread_mutex_t area_lock = PTHREAD_MUTEX_INITIALIZER;
static _Thread_local int has_area;

static int map_area(void)
{
    const float a[64] = {0};
    float c[64];

    pthread_mutex_lock(&area_lock);
    if (mdm_limits_room(AREA + library.reserve)) {
        library.sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, 8, 8, 8, 1.0f, a, 8, a, 8, 0.0f, c, 8);
        has_area = 1;
    }
    pthread_mutex_unlock(&area_lock);
    return has_area ? MASKDM_OK : MASKDM_ENOMEM;
}

int mdm_blas_fail(int status)
{
    return mdm_fail(status,
                    "the limits of this process (ulimit -v, ulimit -d) leave less than the %zu bytes of address "
                    "space that %s takes for one more thread; fewer threads need less",
                    AREA + library.reserve, mdm_blas_name());
}

int mdm_blas_sgemm(int ta, int tb, int64_t m, int64_t n, int64_t k, const float *a, int64_t lda, const float *b,
                   int64_t ldb, float beta, float *c, int64_t ldc, int guard)
{
    int flavour = find_flavour(), before = 1, status = MASKDM_OK;

    sit_down(flavour == PTHREAD || flavour == OPENMP ? MOST_CALLERS : 1);
    if (guard && flavour == OPENMP) {
        before = library.omp_get_max_threads();
        if (before != 1)
            library.omp_set_num_threads(1);
    }
    if (!has_area)
        status = map_area();
    if (!status)
        library.sgemm(CblasRowMajor, ta ? CblasTrans : CblasNoTrans, tb ? CblasTrans : CblasNoTrans, (int)m, (int)n,
                      (int)k, 1.0f, a, (int)lda, b, (int)ldb, beta, c, (int)ldc);
    if (before != 1)
        library.omp_set_num_threads(before);
    stand_up();
    return status;
}

/* In a forked process the threads that sat and guarded are gone, and with them whoever would release a lock. */
static void begin_process(void)
{
    static atomic_long process;
    static const pthread_mutex_t unlocked = PTHREAD_MUTEX_INITIALIZER;
    static const pthread_cond_t unwaited = PTHREAD_COND_INITIALIZER;
    long self = mdm_maker_id(), before = atomic_exchange(&process, self);

    if (!before || before == self)
        return;
    library_lock = guard_lock = seat_lock = area_lock = unlocked;
    seat_free = unwaited;
    seated = 0;
    if (guards && host_threads != 1)
        library.set_num_threads(host_threads);
    guards = 0;
}

int mdm_blas_open(void)
{
    int status = MASKDM_OK;

    begin_process();
    pthread_mutex_lock(&library_lock);
    if (!library.sgemm)
        status = mdm_blas_find(&library, AREA);
    pthread_mutex_unlock(&library_lock);
    return status;
}

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * BLAS under threads. Which OpenBLAS runs is the administrator's choice, so its flavour is asked at run time, and
 * each has its own trap (Debian 12's 0.3.21):
 *   serial: wrong results when two threads call it at once, so one caller at a time;
 *   pthread: its thread count is process-wide, so a counted guard sets it to 1 and back; breaks beyond 64 callers;
 *   OpenMP: the count is per calling thread, and belongs to the host on a thread of the host.
 * The references are weak: another CBLAS has none of them and is taken to be callable from any thread.
 */
#include "backend/cpu/blas.h"

#include <cblas.h>
#include <pthread.h>

int openblas_get_parallel(void) __attribute__((weak));
int openblas_get_num_threads(void) __attribute__((weak));
void openblas_set_num_threads(int n) __attribute__((weak));
int omp_get_max_threads(void) __attribute__((weak));
void omp_set_num_threads(int n) __attribute__((weak));

enum { SERIAL = 0, PTHREAD = 1, OPENMP = 2, OTHER = 3, MOST_CALLERS = 64 };

static int find_flavour(void)
{
    int f = openblas_get_parallel ? openblas_get_parallel() : OTHER;

    return f >= SERIAL && f <= OPENMP ? f : OTHER;
}

const char *maskdm_blas_name(void)
{
    static const char *const name[] = {"OpenBLAS serial", "OpenBLAS pthread", "OpenBLAS OpenMP", "CBLAS"};

    return name[find_flavour()];
}

/* The guard: how many stand, and what the host had set before the first. */
static pthread_mutex_t guard_lock = PTHREAD_MUTEX_INITIALIZER;
static int guards, host_threads;

void maskdm_blas_guard(void)
{
    if (find_flavour() != PTHREAD || !openblas_set_num_threads || !openblas_get_num_threads)
        return;
    pthread_mutex_lock(&guard_lock);
    if (guards++ == 0) {
        host_threads = openblas_get_num_threads();
        if (host_threads != 1)
            openblas_set_num_threads(1);
    }
    pthread_mutex_unlock(&guard_lock);
}

void maskdm_blas_unguard(void)
{
    if (find_flavour() != PTHREAD || !openblas_set_num_threads || !openblas_get_num_threads)
        return;
    pthread_mutex_lock(&guard_lock);
    if (--guards == 0 && host_threads != 1)
        openblas_set_num_threads(host_threads);
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

void maskdm_blas_sgemm(int ta, int tb, int64_t m, int64_t n, int64_t k, const float *a, int64_t lda, const float *b,
                       int64_t ldb, float beta, float *c, int64_t ldc, int guard)
{
    int flavour = find_flavour(), before = 1;

    sit_down(flavour == SERIAL ? 1 : MOST_CALLERS);
    if (guard && flavour == OPENMP && omp_get_max_threads && omp_set_num_threads) {
        before = omp_get_max_threads();
        if (before != 1)
            omp_set_num_threads(1);
    }
    cblas_sgemm(CblasRowMajor, ta ? CblasTrans : CblasNoTrans, tb ? CblasTrans : CblasNoTrans, (int)m, (int)n, (int)k,
                1.0f, a, (int)lda, b, (int)ldb, beta, c, (int)ldc);
    if (before != 1)
        omp_set_num_threads(before);
    stand_up();
}

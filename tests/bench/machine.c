/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Two rates to hold other figures against: fused multiply-adds in registers, and a triad over memory.
 */
#include "bench.h"

#include "util/alloc.h"

#include <pthread.h>
#include <time.h>

enum { LANES = 8, CHAINS = 12, TRIAD = 8 << 20 };

typedef float vector __attribute__((vector_size(LANES * sizeof(float))));

struct job {
    int64_t repeat;
    float *a, *b, *c, sink;
};

#if defined(__x86_64__)
__attribute__((target("avx2,fma")))
#endif
static void *
multiply_add(void *arg)
{
    struct job *j = arg;
    vector x[CHAINS], k, m;

    for (int i = 0; i < LANES; i++)
        k[i] = 0.999f, m[i] = 1e-3f;
    for (int c = 0; c < CHAINS; c++)
        x[c] = k;
    for (int64_t i = 0; i < j->repeat; i++) {
#pragma GCC unroll 12
        for (int c = 0; c < CHAINS; c++)
            x[c] = x[c] * k + m;
    }
    for (int c = 0; c < CHAINS; c++)
        j->sink += x[c][0];
    return NULL;
}

#if defined(__x86_64__)
__attribute__((target("avx2,fma")))
#endif
static void *
triad(void *arg)
{
    struct job *j = arg;
    vector *a = (vector *)j->a, *b = (vector *)j->b, *c = (vector *)j->c;

    for (int64_t r = 0; r < j->repeat; r++)
        for (int64_t i = 0; i < TRIAD / LANES; i++)
            a[i] = b[i] + 0.5f * c[i];
    return NULL;
}

double clock_seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double run(struct job *job, int threads, void *(*body)(void *))
{
    pthread_t thread[MAX_THREADS];
    int started[MAX_THREADS];
    double start = clock_seconds();

    for (int t = 1; t < threads; t++)
        started[t] = pthread_create(&thread[t], NULL, body, &job[t]) == 0;
    body(&job[0]);
    for (int t = 1; t < threads; t++)
        if (started[t])
            pthread_join(thread[t], NULL);
    return clock_seconds() - start;
}

double machine_fma(int threads)
{
    struct job job[MAX_THREADS] = {{0, NULL, NULL, NULL, 0}};
    double seconds;

    for (int t = 0; t < threads; t++)
        job[t].repeat = 10 << 20;
    run(job, threads, multiply_add);
    seconds = run(job, threads, multiply_add);
    return 2.0 * LANES * CHAINS * (10 << 20) * threads / seconds / 1e9;
}

double machine_bandwidth(int threads)
{
    struct job job[MAX_THREADS] = {{0, NULL, NULL, NULL, 0}};
    float *memory = maskdm_malloc_aligned((size_t)threads * 3 * TRIAD * sizeof *memory);
    double seconds;

    if (!memory)
        return 0;
    for (size_t i = 0; i < (size_t)threads * 3 * TRIAD; i++)
        memory[i] = 1.0f;
    for (int t = 0; t < threads; t++) {
        job[t].a = memory + (size_t)t * 3 * TRIAD;
        job[t].b = job[t].a + TRIAD, job[t].c = job[t].b + TRIAD;
        job[t].repeat = 4;
    }
    run(job, threads, triad);
    seconds = run(job, threads, triad);
    maskdm_free(memory);
    return 4.0 * 3 * TRIAD * sizeof(float) * threads / seconds / 1e9;
}

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Two rates to hold other figures against: fused multiply-adds in registers, and a triad over memory.
 */
#include "bench.h"

#include "base/alloc.h"

#include <pthread.h>
#include <string.h>
#include <time.h>

enum { LANES = 8, CHAINS = 12, TRIAD = 8 << 20 }; /* TRIAD: floats of each array, 4 passes over it */

typedef float vector __attribute__((vector_size(LANES * sizeof(float))));

struct job {
    int64_t repeat;
    float *a, *b, *c, sink;
};

/* CHAINS of multiply-adds side by side, on vectors of so many floats. */
#define MULTIPLY_ADD(target, name, lanes)                                                                            \
    target static void *name(void *arg)                                                                              \
    {                                                                                                                \
        typedef float wide __attribute__((vector_size((lanes) * sizeof(float))));                                    \
        struct job *j = arg;                                                                                         \
        wide x[CHAINS], k, m;                                                                                        \
                                                                                                                     \
        for (int i = 0; i < (lanes); i++)                                                                            \
            k[i] = 0.999f, m[i] = 1e-3f;                                                                             \
        for (int c = 0; c < CHAINS; c++)                                                                             \
            x[c] = k;                                                                                                \
        for (int64_t i = 0; i < j->repeat; i++) {                                                                    \
            _Pragma("GCC unroll 12") for (int c = 0; c < CHAINS; c++) x[c] = x[c] * k + m;                           \
        }                                                                                                            \
        for (int c = 0; c < CHAINS; c++)                                                                             \
            j->sink += x[c][0];                                                                                      \
        return NULL;                                                                                                 \
    }

MULTIPLY_ADD(, multiply_add_4, 4)
#if defined(__x86_64__)
MULTIPLY_ADD(__attribute__((target("avx2,fma"))), multiply_add_8, 8)
MULTIPLY_ADD(__attribute__((target("avx512f"))), multiply_add_16, 16)
#endif

/* By the name of an instruction set; what is not here is portable code, of four floats. */
static const struct {
    const char *name;
    int lanes;
    void *(*body)(void *arg);
} loops[] = {
#if defined(__x86_64__)
    {"avx2", 8, multiply_add_8},
    {"avx512", 16, multiply_add_16},
#elif defined(__aarch64__)
    {"neon", 4, multiply_add_4},
#endif
    {"", 4, multiply_add_4},
};

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

/* Read and written where they lie, as an optimizer does it. */
#if defined(__x86_64__)
__attribute__((target("avx2,fma")))
#endif
static void *
update(void *arg)
{
    struct job *j = arg;
    vector *a = (vector *)j->a, *b = (vector *)j->b, *c = (vector *)j->c;

    for (int64_t r = 0; r < j->repeat; r++)
        for (int64_t i = 0; i < TRIAD / LANES; i++) {
            vector x = a[i], y = b[i], z = c[i];

            a[i] = x + 0.5f * y;
            b[i] = y + 0.5f * z;
            c[i] = z + 0.5f * x;
        }
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

double machine_fma(const char *instruction_set, int threads)
{
    struct job job[MAX_THREADS] = {{0, NULL, NULL, NULL, 0}};
    size_t i = 0;
    double seconds;

    while (loops[i].name[0] && strcmp(loops[i].name, instruction_set) != 0)
        i++;
    for (int t = 0; t < threads; t++)
        job[t].repeat = 10 << 20;
    run(job, threads, loops[i].body);
    seconds = run(job, threads, loops[i].body);
    return 2.0 * loops[i].lanes * CHAINS * (10 << 20) * threads / seconds / 1e9;
}

double machine_bandwidth(int threads)
{
    /* so that the three do not begin at the same place of a page, and of a cache's set */
    const size_t apart = TRIAD + 1024 + 16;
    struct job job[MAX_THREADS] = {{0, NULL, NULL, NULL, 0}};
    float *memory = mdm_malloc_aligned((size_t)threads * 3 * apart * sizeof *memory);
    double moved = 4.0 * TRIAD * sizeof(float) * threads / 1e9, best, other;

    if (!memory)
        return 0;
    for (size_t i = 0; i < (size_t)threads * 3 * apart; i++)
        memory[i] = 1.0f;
    for (int t = 0; t < threads; t++) {
        job[t].a = memory + (size_t)t * 3 * apart;
        job[t].b = job[t].a + apart, job[t].c = job[t].b + apart;
        job[t].repeat = 4;
    }
    run(job, threads, triad);
    best = 4 * moved / run(job, threads, triad);
    other = 6 * moved / run(job, threads, update);
    mdm_free(memory);
    return other > best ? other : best;
}

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Which of the instruction sets that a machine has is the fastest there. Wider vectors are not always it: there are
 * processors with one unit of the widest where narrower ones have two, and such whose clock falls under them. So the
 * products' register tile is timed with both, once for the process.
 *
 * Results differ between sets, so that the choice has to be the same each time. The fastest of several rounds counts,
 * since what disturbs only slows, and the wider set stays unless the narrower one is faster by a clear margin.
 */
#include "backend/cpu/cpu.h"
#include "backend/cpu/tile/tile.h"
#include "base/alloc.h"

#include <stdatomic.h>
#include <time.h>

enum { ROWS = 96, COLUMNS = 64, DEPTH = 256, FLOATS = ROWS * DEPTH + DEPTH * COLUMNS + ROWS * COLUMNS };
enum { TURNS = 2, WARM_US = 1000, ROUND_US = 300, ROUNDS = 3 }; /* a clock settles within WARM_US */
static const double MARGIN = 0.875;

static double now_us(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return 1e6 * (double)t.tv_sec + 1e-3 * (double)t.tv_nsec;
}

/* Microseconds of one product, the mean of as many as fit into the span. */
static double time_products(const struct mdm_tile *t, float *memory, double span)
{
    float *a = memory, *b = a + ROWS * DEPTH, *c = b + DEPTH * COLUMNS;
    const struct mdm_right right = {b, (int64_t)t->columns * DEPTH, t->columns};
    const double start = now_us();
    double passed;
    int count = 0;

    do {
        t->product(ROWS, COLUMNS, DEPTH, mdm_rows_left(t, a, DEPTH, 1), right, c, COLUMNS, 0);
        count++;
        passed = now_us() - start;
    } while (passed < span);
    return passed / count;
}

static double time_set(const struct mdm_cpu_set *set, float *memory)
{
    struct mdm_cpu_table t;
    double best;

    set->fill(&t);
    (void)time_products(t.tile, memory, WARM_US);
    best = time_products(t.tile, memory, ROUND_US);
    for (int i = 1; i < ROUNDS; i++) {
        const double us = time_products(t.tile, memory, ROUND_US);

        best = us < best ? us : best;
    }
    return best;
}

int mdm_cpu_prefers(const struct mdm_cpu_set *wide, const struct mdm_cpu_set *narrow)
{
    float *memory = mdm_need_aligned(FLOATS * sizeof *memory, "choosing an instruction set");
    double best[2] = {0, 0};

    if (!memory)
        return MASKDM_ENOMEM;
    for (int i = 0; i < FLOATS; i++)
        memory[i] = 1.0f / (float)(1 + i % 7);
    for (int turn = 0; turn < TURNS; turn++)
        for (int k = 0; k < 2; k++) {
            const double us = time_set(k ? wide : narrow, memory);

            best[k] = turn && best[k] < us ? best[k] : us;
        }
    mdm_free(memory);
    return best[0] >= MARGIN * best[1];
}

int mdm_cpu_choose(const struct mdm_cpu_set **set, const struct mdm_cpu_set **beside)
{
    static _Atomic(const struct mdm_cpu_set *) chosen;
    const struct mdm_cpu_set *vectors[2] = {NULL, NULL}, *none = NULL; /* the widest two, the last one first */
    int takes;

    *beside = NULL;
    for (const struct mdm_cpu_set *s = mdm_cpu_sets; s->name; s++) {
        struct mdm_cpu_table t = {.tile = NULL};

        if (!s->runs_here())
            continue;
        *set = s;
        s->fill(&t);
        if (t.tile) {
            vectors[1] = vectors[0];
            vectors[0] = s;
        }
    }
    if (!vectors[1])
        return MASKDM_OK;
    if (!atomic_load(&chosen)) {
        takes = mdm_cpu_prefers(vectors[0], vectors[1]);
        if (takes < 0)
            return takes;
        (void)atomic_compare_exchange_strong(&chosen, &none, vectors[!takes]); /* the first one of threads holds */
    }
    *set = atomic_load(&chosen);
    *beside = *set == vectors[0] ? vectors[1] : vectors[0];
    return MASKDM_OK;
}

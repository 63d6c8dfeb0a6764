/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Which of the instruction sets that a machine has is the fastest there. Wider vectors are not always it: there are
 * processors with one unit of the widest where narrower ones have two, and such whose clock falls under them. So the
 * products' register tile is timed with both, once for the process.
 *
 * Results differ between sets, so that the choice has to be the same each time. The fastest of several rounds counts,
 * since what disturbs only slows, and the wider set stays unless the narrower one is faster by a clear margin. Both
 * take turns for longer where that is less clear, and before the narrower one is believed.
 */
#include "backend/cpu/cpu.h"
#include "backend/cpu/tile/tile.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"

#include <stdatomic.h>
#include <string.h>

enum { ROWS = 96, COLUMNS = 64, DEPTH = 256, FLOATS = ROWS * DEPTH + DEPTH * COLUMNS + ROWS * COLUMNS };
enum { TURNS_WIDE = 2, TURNS_NARROW = 6, TURNS_MOST = 12, ROUNDS = 3 };
static const double WARM = 1e-3, ROUND = 3e-4; /* seconds; a processor's clock settles within WARM */
/* Of the narrow one's time by the other's. */
static const double MARGIN = 0.875, CLEARLY_WIDE = 0.95, CLEARLY_NARROW = 0.8;

/* Seconds of one product, the mean of as many as fit into the span. */
static double time_products(const struct mdm_tile *t, float *memory, double span)
{
    float *a = memory, *b = a + ROWS * DEPTH, *c = b + DEPTH * COLUMNS;
    const struct mdm_right right = {b, (int64_t)t->columns * DEPTH, t->columns};
    const double start = mdm_clock();
    double passed;
    int count = 0;

    do {
        t->product(ROWS, COLUMNS, DEPTH, mdm_rows_left(t, a, DEPTH, 1), right, c, COLUMNS, 0);
        count++;
        passed = mdm_clock() - start;
    } while (passed < span);
    return passed / count;
}

static double time_set(const struct mdm_cpu_set *set, float *memory)
{
    struct mdm_cpu_table t;
    double best;

    set->fill(&t);
    (void)time_products(t.tile, memory, WARM);
    best = time_products(t.tile, memory, ROUND);
    for (int i = 1; i < ROUNDS; i++) {
        const double took = time_products(t.tile, memory, ROUND);

        best = took < best ? took : best;
    }
    return best;
}

static int is_clear(double ratio, int turns)
{
    return (turns >= TURNS_WIDE && ratio > CLEARLY_WIDE) || (turns >= TURNS_NARROW && ratio < CLEARLY_NARROW);
}

int mdm_cpu_prefers(const struct mdm_cpu_set *wide, const struct mdm_cpu_set *narrow)
{
    float *memory = mdm_need_aligned(FLOATS * sizeof *memory, "choosing an instruction set");
    double best[2] = {1, 1};

    if (!memory)
        return MASKDM_ENOMEM;
    for (int i = 0; i < FLOATS; i++)
        memory[i] = 1.0f / (float)(1 + i % 7);
    for (int turn = 0; turn < TURNS_MOST && !is_clear(best[0] / best[1], turn); turn++)
        for (int k = 0; k < 2; k++) {
            const double took = time_set(k ? wide : narrow, memory);

            best[k] = turn && best[k] < took ? best[k] : took;
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

int mdm_cpu_find(const struct mdm_cpu_set **set, const struct mdm_cpu_set **beside, const char *name)
{
    *beside = NULL;
    if (strcmp(name, "auto") == 0)
        return mdm_cpu_choose(set, beside);
    for (*set = mdm_cpu_sets; (*set)->name; ++*set)
        if (strcmp(name, (*set)->name) == 0 && (*set)->runs_here())
            return MASKDM_OK;
    return mdm_fail(MASKDM_ENOTSUP, "this machine or build has no %s", name);
}

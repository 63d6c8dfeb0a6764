/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Whether BLAS multiplies faster than the portable kernel. OpenBLAS does, many times; the reference implementation,
 * which may stand in its place, does so by a third on one machine and need not on another. Both are timed once for
 * the process, on one thread, so that the choice has nothing to do with how many there are.
 *
 * Results differ between the two, so that the choice has to be the same each time: BLAS stays unless the portable
 * kernel is faster by a clear margin, and the fastest of several rounds counts, since what disturbs only slows.
 */
#include "backend/cpu/blas.h"
#include "backend/cpu/cpu.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"

#include <stdatomic.h>

enum { ROWS = 96, COLUMNS = 96, DEPTH = 192, ROUNDS = 4 };
static const double MARGIN = 0.875;

/* Seconds of the fastest round; the first one, in which caches and clocks settle, does not count. */
static int time_rounds(double *best, mdm_product *product, struct mdm_cpu *one, const struct mdm_gemm *g)
{
    for (int i = 0; i <= ROUNDS; i++) {
        const double start = mdm_clock();
        double took;

        MDM_TRY(product(one, g));
        took = mdm_clock() - start;
        if (i < 2 || took < *best)
            *best = took;
    }
    return MASKDM_OK;
}

int mdm_cpu_prefers_product(mdm_product *first, mdm_product *second, int guard)
{
    float *memory =
        mdm_need_aligned((ROWS + COLUMNS + COLUMNS) * DEPTH * sizeof *memory, "choosing who multiplies matrices");
    struct mdm_cpu one = {.workers = 1, .guard = guard};
    struct mdm_gemm g = {.m = ROWS, .n = COLUMNS, .k = DEPTH, .lda = DEPTH, .ldb = COLUMNS, .ldc = COLUMNS};
    double best[2] = {0, 0};
    int status;

    if (!memory)
        return MASKDM_ENOMEM;
    for (int i = 0; i < (ROWS + COLUMNS) * DEPTH; i++)
        memory[i] = 1.0f / (float)(1 + i % 7);
    g.a = memory;
    g.b = memory + ROWS * DEPTH;
    g.c = memory + (ROWS + COLUMNS) * DEPTH;
    status = time_rounds(&best[0], first, &one, &g);
    if (!status)
        status = time_rounds(&best[1], second, &one, &g);
    mdm_free(memory);
    return status ? status : MARGIN * best[0] <= best[1];
}

int mdm_cpu_blas_pays(int guard)
{
    static atomic_int known; /* 0: not yet, 1: it does not, 2: it does */
    int pays = atomic_load(&known) - 1, none = 0;

    if (pays >= 0)
        return pays;
    pays = mdm_cpu_prefers_product(mdm_cpu_gemm_blas, mdm_cpu_gemm_c_f32, guard);
    if (pays < 0)
        return pays;
    (void)atomic_compare_exchange_strong(&known, &none, 1 + pays); /* the first one of threads holds */
    return atomic_load(&known) - 1;
}

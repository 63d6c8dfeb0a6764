/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Sums that gradients need: over parts that pieces of rows left in scratch, and of one array onto another.
 */
#include "backend/cpu/rows.h"

#include <string.h>

enum { COLUMNS = 256, SPAN = 16384 };

struct combine {
    real *dst;
    const real *part;
    int64_t count, stride, n, pitch;
    int add;
};

static void combine_columns(void *arg, int64_t piece, int worker)
{
    const struct combine *j = arg;
    int64_t image = piece / mdm_pieces(j->n, COLUMNS), from = piece % mdm_pieces(j->n, COLUMNS) * COLUMNS;
    int64_t n = j->n - from < COLUMNS ? j->n - from : COLUMNS;
    real *dst = j->dst + image * j->pitch + from;
    double sum[COLUMNS] = {0};

    (void)worker;
    for (int64_t p = image * j->count; p < (image + 1) * j->count; p++)
        for (int64_t i = 0; i < n; i++)
            sum[i] += (double)j->part[p * j->stride + from + i];
    for (int64_t i = 0; i < n; i++)
        dst[i] = (real)(j->add ? (double)dst[i] + sum[i] : sum[i]);
}

int REAL(mdm_cpu_combine_images)(struct mdm_cpu *cpu, real *dst, int64_t pitch, int add, const real *part,
                                 int64_t count, int64_t stride, int64_t n, int64_t images)
{
    struct combine j = {
        .dst = dst, .part = part, .count = count, .stride = stride, .n = n, .pitch = pitch, .add = add};

    return mdm_pool_run(cpu->pool, images * mdm_pieces(n, COLUMNS), combine_columns, &j);
}

int REAL(mdm_cpu_combine)(struct mdm_cpu *cpu, real *dst, int add, const real *part, int64_t count, int64_t stride,
                          int64_t n)
{
    return REAL(mdm_cpu_combine_images)(cpu, dst, n, add, part, count, stride, n, 1);
}

struct accumulate {
    const struct REAL(mdm_rows) * rows;
    real *dst;
    const real *src;
    int64_t n;
    int add;
};

static void accumulate_span(void *arg, int64_t piece, int worker)
{
    const struct accumulate *j = arg;
    int64_t from = piece * SPAN, n = j->n - from < SPAN ? j->n - from : SPAN;

    (void)worker;
    if (j->add)
        j->rows->add(j->dst + from, j->dst + from, j->src + from, n);
    else
        memcpy(j->dst + from, j->src + from, (size_t)n * sizeof(real));
}

int REAL(mdm_cpu_accumulate)(struct mdm_backend *b, real *dst, int add, const real *src, int64_t n)
{
    struct accumulate j = {.rows = REAL(mdm_rows_of)(b), .dst = dst, .src = src, .n = n, .add = add};

    return mdm_pool_run(mdm_cpu_of(b)->pool, mdm_pieces(n, SPAN), accumulate_span, &j);
}

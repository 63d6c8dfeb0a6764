/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The matrix product in portable C: the specification of the BLAS one, and the product of the double build. Tiles
 * of 16 x 64 results, each summed in double over k in order, so the cut does not touch the result.
 */
#include "backend/cpu/real.h"
#include "backend/cpu/rows.h"
#include "backend/cpu/window.h"
#include "base/error.h"

enum { TILE_ROWS = 16, TILE_COLUMNS = 64, DEPTH = 256 };

struct job {
    const struct mdm_gemm *g;
    int64_t column_tiles;
    atomic_int stop;
};

/* Elements that `step` separates. */
struct line {
    const real *at;
    int64_t step;
};

/* Elements k .. k + n of row `row` of op(a); buffer: room for them. */
static struct line read_left(const struct mdm_gemm *g, real *buffer, int64_t row, int64_t k, int64_t n)
{
    const real *a = g->a;
    struct mdm_window_row at;

    if (!g->windows_a)
        return g->ta ? (struct line){a + k * g->lda + row, g->lda} : (struct line){a + row * g->lda + k, 1};
    at = mdm_window_row(g->windows_a, row, k);
    REAL(mdm_window_copy)(buffer, &at, n);
    return (struct line){buffer, 1};
}

/* Columns [column, column + n) of row k of op(b). */
static struct line read_right(const struct mdm_gemm *g, real *buffer, int64_t k, int64_t column, int64_t n)
{
    const real *b = g->b;
    struct mdm_window_row at;

    if (!g->windows_b)
        return g->tb ? (struct line){b + column * g->ldb + k, g->ldb} : (struct line){b + k * g->ldb + column, 1};
    at = mdm_window_row(g->windows_b, k, column);
    REAL(mdm_window_copy)(buffer, &at, n);
    return (struct line){buffer, 1};
}

static void product_row(double *sum, const struct mdm_gemm *g, int64_t row, int64_t column, int64_t columns)
{
    real left[DEPTH], right[TILE_COLUMNS];
    struct line a = {NULL, 0};

    for (int64_t j = 0; j < columns; j++)
        sum[j] = 0;
    for (int64_t k = 0; k < g->k; k++) {
        struct line b = read_right(g, right, k, column, columns);
        double x;

        if (k % DEPTH == 0)
            a = read_left(g, left, row, k, g->k - k < DEPTH ? g->k - k : DEPTH);
        x = (double)a.at[k % DEPTH * a.step];
        for (int64_t j = 0; j < columns; j++)
            sum[j] += x * (double)b.at[j * b.step];
    }
}

static void make_tile(void *arg, int64_t i, int worker)
{
    struct job *job = arg;
    const struct mdm_gemm *g = job->g;
    int64_t row = i / job->column_tiles * TILE_ROWS, column = i % job->column_tiles * TILE_COLUMNS;
    int64_t rows = g->m - row < TILE_ROWS ? g->m - row : TILE_ROWS;
    int64_t columns = g->n - column < TILE_COLUMNS ? g->n - column : TILE_COLUMNS;
    double sum[TILE_COLUMNS];

    (void)worker;
    if (g->cancel && atomic_load_explicit(g->cancel, memory_order_relaxed))
        atomic_store_explicit(&job->stop, 1, memory_order_relaxed);
    if (atomic_load_explicit(&job->stop, memory_order_relaxed))
        return;
    for (int64_t r = row; r < row + rows; r++) {
        real *c = (real *)g->c + r * g->ldc + column;
        product_row(sum, g, r, column, columns);
        for (int64_t j = 0; j < columns; j++)
            c[j] = (real)(g->add ? (double)c[j] + sum[j] : sum[j]);
    }
    if (g->epilogue)
        g->epilogue(g->arg, row, rows, column, columns);
}

int REAL(mdm_cpu_gemm_c)(struct mdm_cpu *cpu, const struct mdm_gemm *g)
{
    struct job job = {.g = g, .column_tiles = mdm_pieces(g->n, TILE_COLUMNS)};

    atomic_init(&job.stop, 0);
    MDM_TRY(mdm_pool_run(cpu->pool, mdm_pieces(g->m, TILE_ROWS) * job.column_tiles, make_tile, &job));
    if (atomic_load(&job.stop))
        return mdm_fail(MASKDM_ECANCELED, "cancelled");
    return MASKDM_OK;
}

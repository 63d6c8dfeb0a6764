/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Matrix products on BLAS: tiles cut by shape alone, one single-threaded call per tile on the pool. The bits of a
 * BLAS product change with its thread count and with how rows are split, but not with the order of fixed tiles.
 *
 * BLAS packs both operands of each call, so of the cuts with enough tiles the one that packs least is taken. A tile
 * is also what a cancelled step waits for, so it stays below MOST_WORK.
 */
#include "backend/cpu/blas.h"
#include "backend/cpu/cpu.h"
#include "base/error.h"

enum {
    UNIT = 16,       /* tile borders are multiples, as micro-kernels like them */
    FREE_TILES = 8,  /* tiles that a whole product should have, for threads to share */
    GROUP_TILES = 4, /* the same for the rows of one image, of which there mostly are several */
    MOST_TILES = 4096
};
static const double MOST_WORK = 1.5e9; /* FLOP in one tile: some 25 ms on a core */
static const double LEAST_WORK = 3e7;  /* below this, packing costs more than an idle thread */

struct cut {
    int64_t groups, rows; /* groups of rows that are cut alike */
    int64_t row_tiles, column_tiles;
};

static int64_t count_tiles(double work, int64_t wanted)
{
    int64_t n = wanted;

    while ((double)n * MOST_WORK < work && n < MOST_TILES)
        n += wanted;
    while (n > 1 && (double)n * LEAST_WORK > work)
        n--;
    return n;
}

/* With r row tiles and c column tiles, c M K + r N K elements are packed. */
static struct cut cut_product(const struct mdm_gemm *g)
{
    struct cut c = {.groups = 1, .rows = g->m, .row_tiles = 1, .column_tiles = 1};
    int64_t tiles, least = INT64_MAX;

    if (g->row_group > 0 && g->m > g->row_group && g->m % g->row_group == 0) {
        c.rows = g->row_group;
        c.groups = g->m / g->row_group;
    }
    tiles =
        count_tiles(2.0 * (double)c.rows * (double)g->n * (double)g->k, g->row_group > 0 ? GROUP_TILES : FREE_TILES);
    for (int64_t columns = 1; columns <= tiles; columns++) {
        int64_t rows = mdm_pieces(tiles, columns), packed = columns * c.rows + rows * g->n;
        int thin = (rows > 1 && c.rows < rows * UNIT) || (columns > 1 && g->n < columns * UNIT);
        if (!thin && packed < least) {
            least = packed;
            c.row_tiles = rows;
            c.column_tiles = columns;
        }
    }
    return c;
}

/* Where tile i of `tiles` begins: even, on multiples of UNIT. */
static int64_t border(int64_t n, int64_t tiles, int64_t i)
{
    return i == tiles ? n : mdm_pieces(n, UNIT) * i / tiles * UNIT;
}

struct job {
    const struct mdm_gemm *g;
    struct cut cut;
    int guard;
    atomic_int stop; /* the status that ends it */
};

static void make_tile(void *arg, int64_t i, int worker)
{
    struct job *j = arg;
    const struct mdm_gemm *g = j->g;
    int64_t tj = i % j->cut.column_tiles, ti = i / j->cut.column_tiles % j->cut.row_tiles;
    int64_t group = i / j->cut.column_tiles / j->cut.row_tiles * j->cut.rows;
    int64_t row = border(j->cut.rows, j->cut.row_tiles, ti), column = border(g->n, j->cut.column_tiles, tj);
    int64_t rows = border(j->cut.rows, j->cut.row_tiles, ti + 1) - row;
    int64_t columns = border(g->n, j->cut.column_tiles, tj + 1) - column;
    const float *a = g->a, *b = g->b;
    int status;

    (void)worker;
    if (g->cancel && atomic_load_explicit(g->cancel, memory_order_relaxed))
        atomic_store_explicit(&j->stop, MASKDM_ECANCELED, memory_order_relaxed);
    if (rows <= 0 || columns <= 0 || atomic_load_explicit(&j->stop, memory_order_relaxed))
        return;
    row += group;
    status = mdm_blas_sgemm(g->ta, g->tb, rows, columns, g->k, g->ta ? a + row : a + row * g->lda, g->lda,
                      g->tb ? b + column * g->ldb : b + column, g->ldb, g->add ? 1.0f : 0.0f,
                      (float *)g->c + row * g->ldc + column, g->ldc, j->guard);
    if (status)
        atomic_store_explicit(&j->stop, status, memory_order_relaxed);
    else if (g->epilogue)
        g->epilogue(g->arg, row, rows, column, columns);
}

int mdm_cpu_gemm_blas(struct mdm_cpu *cpu, const struct mdm_gemm *g)
{
    struct job j = {.g = g, .cut = cut_product(g), .guard = cpu->guard};
    int status;

    atomic_init(&j.stop, 0);
    /* Mostly the device's own guard stands already; this one keeps products right outside of it. */
    if (cpu->guard)
        mdm_blas_guard();
    status = mdm_pool_run(cpu->pool, j.cut.groups * j.cut.row_tiles * j.cut.column_tiles, make_tile, &j);
    if (cpu->guard)
        mdm_blas_unguard();
    MDM_TRY(status);
    if (atomic_load(&j.stop) == MASKDM_ECANCELED)
        return mdm_fail(MASKDM_ECANCELED, "cancelled");
    return atomic_load(&j.stop) ? mdm_blas_fail(atomic_load(&j.stop)) : MASKDM_OK;
}

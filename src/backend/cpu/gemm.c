/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Matrix products on BLAS: tiles cut by shape alone, one single-threaded call per tile on the pool. The bits of a
 * BLAS product change with its thread count and with how rows are split, but not with the order of fixed tiles.
 *
 * BLAS packs both operands of each call, so of the cuts with enough tiles the one that packs least is taken. A tile
 * is also what a cancelled step waits for, so it stays below MOST_WORK. Windows are laid out for it in parts of a
 * buffer, each a call of its own.
 */
#include "backend/cpu/blas.h"
#include "backend/cpu/cpu.h"
#include "backend/cpu/window.h"
#include "base/error.h"

enum {
    UNIT = 16,       /* tile borders are multiples, as micro-kernels like them */
    FREE_TILES = 8,  /* tiles that a whole product should have, for threads to share */
    GROUP_TILES = 4, /* the same for the rows of one image, of which there mostly are several */
    MOST_TILES = 4096,
    BUFFER = MDM_MOST_WINDOW, /* floats of windows that a worker lays out at a time */
    DEPTH = 2048              /* of each of them, where there are enough */
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

size_t mdm_cpu_gemm_blas_workspace(int workers)
{
    return (size_t)workers * BUFFER * sizeof(float);
}

struct job {
    const struct mdm_gemm *g;
    struct cut cut;
    float *workspace;
    int guard;
    atomic_int stop; /* the status that ends it */
};

/* Where a tile lies in c. */
struct tile {
    int64_t row, rows, column, columns;
};

/* The part of a tile's rows `at`.rows that stand at a, over k .. k + depth, added to what earlier k gave. */
static int multiply(const struct job *j, struct tile at, const float *a, int64_t lda, const float *b, int64_t ldb,
                    int64_t k, int64_t depth)
{
    const struct mdm_gemm *g = j->g;

    return mdm_blas_sgemm(g->ta, g->tb, at.rows, at.columns, depth, a, lda, b, ldb, g->add || k > 0 ? 1.0f : 0.0f,
                          (float *)g->c + at.row * g->ldc + at.column, g->ldc, j->guard);
}

static const float *left(const struct mdm_gemm *g, int64_t row, int64_t k)
{
    return (const float *)g->a + (g->ta ? k * g->lda + row : row * g->lda + k);
}

static const float *right(const struct mdm_gemm *g, int64_t k, int64_t column)
{
    return (const float *)g->b + (g->tb ? column * g->ldb + k : k * g->ldb + column);
}

/* Elements [from, from + n) of some rows. */
static void lay_out(float *buffer, const struct mdm_window *w, int64_t row, int64_t rows, int64_t from, int64_t n)
{
    struct mdm_window_row at = mdm_window_row(w, row, from);

    for (; rows > 0; rows--, buffer += n, mdm_window_next(&at))
        mdm_window_copy_f32(buffer, &at, n);
}

static int multiply_windows_a(const struct job *j, struct tile tile, float *buffer)
{
    const struct mdm_gemm *g = j->g;
    const int64_t deep = g->k < DEPTH ? g->k : DEPTH, high = BUFFER / deep, end = tile.row + tile.rows;

    for (int64_t k = 0; k < g->k; k += deep) {
        const int64_t depth = g->k - k < deep ? g->k - k : deep;
        struct tile part = tile;

        for (; part.row < end; part.row += high) {
            part.rows = end - part.row < high ? end - part.row : high;
            lay_out(buffer, g->windows_a, part.row, part.rows, k, depth);
            MDM_TRY(multiply(j, part, buffer, depth, right(g, k, tile.column), g->ldb, k, depth));
        }
    }
    return 0;
}

static int multiply_windows_b(const struct job *j, struct tile tile, float *buffer)
{
    const struct mdm_gemm *g = j->g;
    const int64_t deep = BUFFER / tile.columns;

    for (int64_t k = 0; k < g->k; k += deep) {
        const int64_t depth = g->k - k < deep ? g->k - k : deep;

        lay_out(buffer, g->windows_b, k, depth, tile.column, tile.columns);
        MDM_TRY(multiply(j, tile, left(g, tile.row, k), g->lda, buffer, tile.columns, k, depth));
    }
    return 0;
}

static int multiply_tile(const struct job *j, struct tile tile, float *buffer)
{
    const struct mdm_gemm *g = j->g;

    if (g->windows_a)
        return multiply_windows_a(j, tile, buffer);
    if (g->windows_b)
        return multiply_windows_b(j, tile, buffer);
    return multiply(j, tile, left(g, tile.row, 0), g->lda, right(g, 0, tile.column), g->ldb, 0, g->k);
}

static void make_tile(void *arg, int64_t i, int worker)
{
    struct job *j = arg;
    const struct mdm_gemm *g = j->g;
    int64_t tj = i % j->cut.column_tiles, ti = i / j->cut.column_tiles % j->cut.row_tiles;
    int64_t group = i / j->cut.column_tiles / j->cut.row_tiles * j->cut.rows;
    struct tile t = {border(j->cut.rows, j->cut.row_tiles, ti), 0, border(g->n, j->cut.column_tiles, tj), 0};
    int status;

    t.rows = border(j->cut.rows, j->cut.row_tiles, ti + 1) - t.row;
    t.columns = border(g->n, j->cut.column_tiles, tj + 1) - t.column;
    t.row += group;
    if (g->cancel && atomic_load_explicit(g->cancel, memory_order_relaxed))
        atomic_store_explicit(&j->stop, MASKDM_ECANCELED, memory_order_relaxed);
    if (t.rows <= 0 || t.columns <= 0 || atomic_load_explicit(&j->stop, memory_order_relaxed))
        return;
    status = multiply_tile(j, t, j->workspace ? j->workspace + (int64_t)worker * BUFFER : NULL);
    if (status)
        atomic_store_explicit(&j->stop, status, memory_order_relaxed);
    else if (g->epilogue)
        g->epilogue(g->arg, t.row, t.rows, t.column, t.columns);
}

int mdm_cpu_gemm_blas(struct mdm_cpu *cpu, const struct mdm_gemm *g)
{
    struct job j = {.g = g, .cut = cut_product(g), .workspace = cpu->workspace, .guard = cpu->guard};
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

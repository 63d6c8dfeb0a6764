/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The matrix product: b is packed once, in blocks that all workers share; a unit packs its rows of a and runs the
 * register tile over them (Goto and van de Geijn 2008).
 *
 * An element of c is a sum over k in blocks of DEPTH, each summed from zero and added to c in order. Where the
 * element lies, and how rows and columns are cut, does not enter: an image's rows have the same bits in every
 * batch, and row_group asks for nothing.
 */
#include "backend/cpu/tile/gemm.h"

#include "backend/cpu/tile/tile.h"
#include "backend/cpu/window.h"
#include "base/error.h"

#include <string.h>

enum {
    DEPTH = 256,          /* most of k at a time: a panel of b, of DEPTH rows, stays in the first-level cache */
    HIGH = 96,            /* rows of a unit; HIGH x DEPTH of a stay in the second-level cache */
    SHARED = 1 << 20,     /* floats of b that are packed at a time */
    LEAST_BLOCK = 2048,   /* columns of b that are packed at a time, where there are as many */
    LEAST_WIDE = 128,     /* columns of a unit below which packing a again shows */
    FEWEST_UNITS = 12,
    LATE = 3,             /* units of rows, the last ones, that are cut in half so that threads end together */
    BAND = 4,             /* panels of b that are packed side by side */
    RUN = 128,            /* elements of a row of b that are widened at a time */
    SINGLE = HIGH * DEPTH /* floats of one worker: packed rows of a */
};

struct job {
    const struct mdm_gemm *g;
    const struct mdm_tile *tile;
    float *shared, *single;                      /* packed b; SINGLE floats per worker */
    int64_t column, columns, k, depth;           /* the block of b that is packed now */
    int64_t step;                                /* k is summed in steps of this many */
    int64_t row_units, rows, column_units, wide; /* how c's columns of the block are cut */
    int64_t early;                               /* units of `rows` rows; the others have half */
    int last;                                    /* no more blocks of k follow */
};

size_t mdm_tile_gemm_workspace(int workers)
{
    return (size_t)(SHARED + (int64_t)workers * SINGLE) * sizeof(float);
}

static void pack_windows_b(const struct job *j, float *out, int64_t at, int64_t columns)
{
    const int64_t wide = j->tile->columns, panel = wide * j->depth;
    struct mdm_window_row row = mdm_window_row(j->g->windows_b, j->k, j->column + at);
    float line[MDM_MOST_COLUMNS * BAND];

    for (int64_t k = 0; k < j->depth; k++, out += wide, mdm_window_next(&row)) {
        mdm_window_copy_f32(line, &row, columns);
        for (int64_t i = 0; i < columns; i += wide)
            memcpy(out + i / wide * panel, line + i, (size_t)mdm_lesser(wide, columns - i) * sizeof(float));
    }
}

/* Rows of a transposed b that are of 16 bits, as many as a vector has lanes and RUN elements of each at a time. */
static void pack_stored_b(const struct job *j, float *out, int64_t panel, const uint16_t *b, int64_t columns)
{
    const struct mdm_tile *t = j->tile;
    float line[MDM_MOST_LANES * RUN];

    for (int64_t i = 0; i < columns; i += t->lanes)
        for (int64_t k = 0; k < j->depth; k += RUN) {
            const int64_t rows = mdm_lesser(t->lanes, columns - i), n = mdm_lesser(RUN, j->depth - k);

            for (int64_t r = 0; r < rows; r++)
                t->widen(line + r * RUN, b + (i + r) * j->g->ldb + k, j->g->stored_b, n);
            t->pack_transposed(out + i / t->columns * panel + i % t->columns + k * t->columns, panel, line, RUN, rows,
                               n);
        }
}

/* A panel has `depth` rows of a tile's columns; columns that b lacks are zero. A unit makes BAND panels side by side,
 * so that more of each line and page of b is used at a time. */
static void pack_b(void *arg, int64_t unit, int worker)
{
    const struct job *j = arg;
    const struct mdm_gemm *g = j->g;
    const int64_t wide = j->tile->columns, panel = wide * j->depth, at = unit * wide * BAND;
    const int64_t columns = mdm_lesser(wide * BAND, j->columns - at);
    const float *b = g->b;
    float *out = j->shared + at * j->depth;

    (void)worker;
    if (columns % wide)
        memset(out + columns / wide * panel, 0, (size_t)panel * sizeof(float));
    if (g->tb && g->stored_b != MDM_F32)
        pack_stored_b(j, out, panel, (const uint16_t *)g->b + (j->column + at) * g->ldb + j->k, columns);
    else if (g->tb)
        j->tile->pack_transposed(out, panel, b + (j->column + at) * g->ldb + j->k, g->ldb, columns, j->depth);
    else if (g->windows_b)
        pack_windows_b(j, out, at, columns);
    else
        j->tile->pack_panels(out, panel, b + j->k * g->ldb + j->column + at, g->ldb, j->depth, columns);
}

/* Rows [row, row + rows) of op(a) over k .. k + depth. A transposed a is stored by k already and goes to groups of
 * a tile's rows; else rows are copied as they are. */
static struct mdm_left pack_a(const struct job *j, float *packed, int64_t row, int64_t rows, int64_t k, int64_t depth)
{
    const struct mdm_gemm *g = j->g;
    const struct mdm_tile *t = j->tile;
    const float *a = g->a;

    if (g->windows_a) {
        struct mdm_window_row from = mdm_window_row(g->windows_a, row, k);

        for (int64_t i = 0; i < rows; i++, mdm_window_next(&from))
            mdm_window_copy_f32(packed + i * DEPTH, &from, depth);
    } else if (!g->ta) {
        for (int64_t i = 0; i < rows; i++)
            memcpy(packed + i * DEPTH, a + (row + i) * g->lda + k, (size_t)depth * sizeof(float));
    } else {
        t->pack_groups(packed, t->rows * DEPTH, a + k * g->lda + row, g->lda, depth, rows);
        return (struct mdm_left){packed, t->rows * DEPTH, 1, t->rows};
    }
    return mdm_rows_left(t, packed, DEPTH, 1);
}

static int64_t half_of(const struct job *j)
{
    return mdm_round_up((j->rows + 1) / 2, j->tile->rows);
}

static int64_t first_row(const struct job *j, int64_t row_unit)
{
    const int64_t late = row_unit - j->early;

    return late > 0 ? j->early * j->rows + late * half_of(j) : row_unit * j->rows;
}

static void make_unit(void *arg, int64_t unit, int worker)
{
    const struct job *j = arg;
    const struct mdm_gemm *g = j->g;
    const int64_t row = first_row(j, unit / j->column_units), wide = j->tile->columns;
    const int64_t rows = mdm_lesser(first_row(j, unit / j->column_units + 1), g->m) - row;
    const int64_t at = unit % j->column_units * j->wide, columns = mdm_lesser(j->wide, j->columns - at);
    float *packed = j->single + (int64_t)worker * SINGLE, *c = (float *)g->c + row * g->ldc + j->column + at;

    for (int64_t k = 0; k < j->depth; k += j->step) {
        const int64_t depth = mdm_lesser(j->step, j->depth - k);
        const int add = g->add || j->k + k > 0;
        const struct mdm_right b = {j->shared + at * j->depth + k * wide, wide * j->depth, wide};

        if (mdm_cancelled(g->cancel))
            return;
        j->tile->product(rows, columns, depth, pack_a(j, packed, row, rows, j->k + k, depth), b, c, g->ldc, add);
    }
    if (j->last && g->epilogue)
        g->epilogue(g->arg, row, rows, j->column + at, columns);
}

static void cut_units(struct job *j)
{
    const int64_t m = j->g->m;

    j->rows = mdm_round_up(mdm_pieces(m, mdm_pieces(m, HIGH)), j->tile->rows);
    j->early = mdm_pieces(m, j->rows) - LATE;
    if (j->early < 0)
        j->early = 0;
    j->row_units = j->early + mdm_pieces(m - j->early * j->rows, half_of(j));
    j->wide = mdm_round_up(mdm_pieces(j->columns, mdm_pieces(FEWEST_UNITS, j->row_units)), j->tile->columns);
    if (j->wide < LEAST_WIDE)
        j->wide = LEAST_WIDE;
    j->column_units = mdm_pieces(j->columns, j->wide);
}

/* Even blocks of b of at most SHARED floats, with all of k in one where the columns then are enough. The steps
 * depend on k alone. */
static void cut_blocks(struct job *j, int64_t *wide, int64_t *deep)
{
    const int64_t n = j->g->n, k = j->g->k, columns = j->tile->columns;
    int64_t most = SHARED / mdm_round_up(k, DEPTH);

    if (most < LEAST_BLOCK)
        most = LEAST_BLOCK;
    *wide = mdm_round_up(mdm_pieces(n, mdm_pieces(n, most / columns * columns)), columns);
    j->step = mdm_round_up(mdm_pieces(k, mdm_pieces(k, DEPTH)), 8);
    *deep = SHARED / *wide / j->step * j->step;
    *deep = mdm_round_up(mdm_pieces(k, mdm_pieces(k, *deep)), j->step);
}

int mdm_tile_gemm(struct mdm_cpu *cpu, const struct mdm_gemm *g)
{
    struct job j = {.g = g, .tile = cpu->f32.tile, .shared = cpu->workspace};
    int64_t wide, deep;

    if (!cpu->workspace || g->k <= 0)
        return mdm_cpu_gemm_c_f32(cpu, g);
    if (g->m <= 0 || g->n <= 0)
        return MASKDM_OK;
    j.single = j.shared + SHARED;
    cut_blocks(&j, &wide, &deep);
    for (j.column = 0; j.column < g->n; j.column += wide) {
        j.columns = mdm_lesser(wide, g->n - j.column);
        cut_units(&j);
        for (j.k = 0; j.k < g->k && !mdm_cancelled(g->cancel); j.k += deep) {
            j.depth = mdm_lesser(deep, g->k - j.k);
            j.last = j.k + j.depth == g->k;
            MDM_TRY(mdm_pool_run(cpu->pool, mdm_pieces(j.columns, j.tile->columns * BAND), pack_b, &j));
            MDM_TRY(mdm_pool_run(cpu->pool, j.row_units * j.column_units, make_unit, &j));
        }
    }
    return mdm_cancelled(g->cancel) ? mdm_fail(MASKDM_ECANCELED, "a matrix product was cancelled") : MASKDM_OK;
}

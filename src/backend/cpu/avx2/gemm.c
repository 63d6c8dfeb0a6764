/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The matrix product with AVX2 and FMA: b is packed once, in blocks that all workers share; a unit packs its rows
 * of a and runs the register tile over them (Goto and van de Geijn 2008).
 *
 * An element of c is a sum over k in blocks of DEPTH, each summed from zero and added to c in order. Where the
 * element lies, and how rows and columns are cut, does not enter: an image's rows have the same bits in every
 * batch, and row_group asks for nothing.
 */
#include "backend/cpu/avx2/gemm.h"
#include "backend/cpu/avx2/pack.h"
#include "backend/cpu/avx2/product.h"
#include "backend/cpu/window.h"
#include "base/error.h"

#include <immintrin.h>
#include <string.h>

enum {
    DEPTH = 256,          /* most of k at a time: a panel of b, DEPTH x 16, stays in the first-level cache */
    HIGH = 96,            /* rows of a unit; HIGH x DEPTH of a stay in the second-level cache */
    SHARED = 1 << 20,     /* floats of b that are packed at a time */
    LEAST_BLOCK = 2048,   /* columns of b that are packed at a time, where there are as many */
    LEAST_WIDE = 128,     /* columns of a unit below which packing a again shows */
    FEWEST_UNITS = 12,
    LATE = 3,             /* units of rows, the last ones, that are cut in half so that threads end together */
    BAND = 4,             /* panels of b that are packed side by side */
    AHEAD = 12,           /* rows that packing asks the memory for in advance, each being on a page of its own */
    SINGLE = HIGH * DEPTH + HIGH * 8 /* floats of one worker: packed rows of a, and a ragged edge of c */
};

struct job {
    const struct mdm_gemm *g;
    float *shared, *single;                      /* packed b; SINGLE floats per worker */
    int64_t column, columns, k, depth;           /* the block of b that is packed now */
    int64_t step;                                /* k is summed in steps of this many */
    int64_t row_units, rows, column_units, wide; /* how c's columns of the block are cut */
    int64_t early;                               /* units of `rows` rows; the others have half */
    int last;                                    /* no more blocks of k follow */
};

size_t mdm_avx2_gemm_workspace(int workers)
{
    return (size_t)(SHARED + (int64_t)workers * SINGLE) * sizeof(float);
}

static void pack_windows_b(const struct job *j, float *out, int64_t at, int64_t columns)
{
    const int64_t panel = 16 * j->depth;
    struct mdm_window_row row = mdm_window_row(j->g->windows_b, j->k, j->column + at);
    float line[16 * BAND];

    for (int64_t k = 0; k < j->depth; k++, out += 16, mdm_window_next(&row)) {
        mdm_window_copy_f32(line, &row, columns);
        for (int64_t i = 0; i < columns; i += 16)
            memcpy(out + i / 16 * panel, line + i, (size_t)mdm_lesser(16, columns - i) * sizeof(float));
    }
}

/* A panel has `depth` rows of 16 columns; columns that b lacks are zero. A unit makes BAND panels side by side, so
 * that more of each line and page of b is used at a time. */
static void pack_b(void *arg, int64_t unit, int worker)
{
    const struct job *j = arg;
    const struct mdm_gemm *g = j->g;
    const int64_t at = unit * 16 * BAND, columns = mdm_lesser(16 * BAND, j->columns - at), panel = 16 * j->depth;
    const float *b = g->b;
    float *out = j->shared + at * j->depth;

    (void)worker;
    if (columns % 16)
        memset(out + columns / 16 * panel, 0, (size_t)panel * sizeof(float));
    if (g->tb) {
        b += (j->column + at) * g->ldb + j->k;
        mdm_pack_transposed(out, panel, b, g->ldb, columns, j->depth);
        return;
    }
    if (g->windows_b) {
        pack_windows_b(j, out, at, columns);
        return;
    }
    b += j->k * g->ldb + j->column + at;
    for (int64_t k = 0; k < j->depth; k++, b += g->ldb, out += 16) {
        int64_t i = 0;
        for (int64_t p = 0; p < columns; p += 16)
            _mm_prefetch((const char *)(b + AHEAD * g->ldb + p), _MM_HINT_T0);
        for (; i + 8 <= columns; i += 8)
            _mm256_storeu_ps(out + i / 16 * panel + i % 16, _mm256_loadu_ps(b + i));
        for (; i < columns; i++)
            out[i / 16 * panel + i % 16] = b[i];
    }
}

/* Rows [row, row + rows) of op(a) over k .. k + depth. A transposed a is stored by k already and goes to groups of
 * 6; else rows are copied as they are. */
static struct mdm_left pack_a(const struct mdm_gemm *g, float *packed, int64_t row, int64_t rows, int64_t k,
                              int64_t depth)
{
    const float *a = g->a;
    float *out = packed;

    if (g->windows_a) {
        struct mdm_window_row from = mdm_window_row(g->windows_a, row, k);

        for (int64_t i = 0; i < rows; i++, mdm_window_next(&from))
            mdm_window_copy_f32(out + i * DEPTH, &from, depth);
        return mdm_rows_left(out, DEPTH, 1);
    }
    if (!g->ta) {
        for (int64_t i = 0; i < rows; i++)
            memcpy(out + i * DEPTH, a + (row + i) * g->lda + k, (size_t)depth * sizeof(float));
        return mdm_rows_left(out, DEPTH, 1);
    }
    a += k * g->lda + row;
    for (int64_t t = 0; t < depth; t++, a += g->lda, out += MDM_TILE_ROWS) {
        int64_t i = 0;
        for (int64_t p = 0; p < rows; p += 16)
            _mm_prefetch((const char *)(a + AHEAD * g->lda + p), _MM_HINT_T0);
        for (; i + MDM_TILE_ROWS <= rows; i += MDM_TILE_ROWS) {
            _mm_storeu_ps(out + i * DEPTH, _mm_loadu_ps(a + i));
            memcpy(out + i * DEPTH + 4, a + i + 4, 2 * sizeof(float));
        }
        for (int64_t n = i; n < rows; n++)
            out[i * DEPTH + n - i] = a[n];
    }
    return (struct mdm_left){packed, MDM_TILE_ROWS * DEPTH, 1, MDM_TILE_ROWS};
}

/* The columns after the last multiple of 8, through a buffer. */
static void finish_edge(float *c, int64_t ldc, const float *edge, int64_t rows, int64_t columns, int add)
{
    for (int64_t i = 0; i < rows; i++)
        for (int64_t k = 0; k < columns; k++)
            c[i * ldc + k] = add ? c[i * ldc + k] + edge[i * 8 + k] : edge[i * 8 + k];
}

static int64_t half_of(int64_t rows)
{
    return mdm_round_up((rows + 1) / 2, MDM_TILE_ROWS);
}

static int64_t first_row(const struct job *j, int64_t row_unit)
{
    const int64_t late = row_unit - j->early;

    return late > 0 ? j->early * j->rows + late * half_of(j->rows) : row_unit * j->rows;
}

static void make_unit(void *arg, int64_t unit, int worker)
{
    const struct job *j = arg;
    const struct mdm_gemm *g = j->g;
    const int64_t row = first_row(j, unit / j->column_units);
    const int64_t rows = mdm_lesser(first_row(j, unit / j->column_units + 1), g->m) - row;
    const int64_t at = unit % j->column_units * j->wide, columns = mdm_lesser(j->wide, j->columns - at);
    const int64_t whole = columns / 8 * 8;
    float *packed = j->single + (int64_t)worker * SINGLE, *edge = packed + HIGH * DEPTH;
    float *c = (float *)g->c + row * g->ldc + j->column + at;

    for (int64_t k = 0; k < j->depth; k += j->step) {
        const int64_t depth = mdm_lesser(j->step, j->depth - k);
        const int add = g->add || j->k + k > 0;
        struct mdm_right b = {j->shared + at * j->depth + k * 16, 16 * j->depth, 16};
        struct mdm_left a;

        if (mdm_cancelled(g->cancel))
            return;
        a = pack_a(g, packed, row, rows, j->k + k, depth);
        mdm_avx2_product(rows, whole, depth, a, b, c, g->ldc, add);
        if (whole < columns) {
            b.at += whole / 16 * b.panel + whole % 16;
            mdm_avx2_product(rows, 8, depth, a, b, edge, 8, 0);
            finish_edge(c + whole, g->ldc, edge, rows, columns - whole, add);
        }
    }
    if (j->last && g->epilogue)
        g->epilogue(g->arg, row, rows, j->column + at, columns);
}

static void cut_units(struct job *j)
{
    const int64_t m = j->g->m;

    j->rows = mdm_round_up(mdm_pieces(m, mdm_pieces(m, HIGH)), MDM_TILE_ROWS);
    j->early = mdm_pieces(m, j->rows) - LATE;
    if (j->early < 0)
        j->early = 0;
    j->row_units = j->early + mdm_pieces(m - j->early * j->rows, half_of(j->rows));
    j->wide = mdm_round_up(mdm_pieces(j->columns, mdm_pieces(FEWEST_UNITS, j->row_units)), 16);
    if (j->wide < LEAST_WIDE)
        j->wide = LEAST_WIDE;
    j->column_units = mdm_pieces(j->columns, j->wide);
}

/* Even blocks of b of at most SHARED floats, with all of k in one where the columns then are enough. The steps
 * depend on k alone. */
static void cut_blocks(struct job *j, int64_t *wide, int64_t *deep)
{
    const int64_t n = j->g->n, k = j->g->k;
    int64_t most = SHARED / mdm_round_up(k, DEPTH);

    if (most < LEAST_BLOCK)
        most = LEAST_BLOCK;
    *wide = mdm_round_up(mdm_pieces(n, mdm_pieces(n, most / 16 * 16)), 16);
    j->step = mdm_round_up(mdm_pieces(k, mdm_pieces(k, DEPTH)), 8);
    *deep = SHARED / *wide / j->step * j->step;
    *deep = mdm_round_up(mdm_pieces(k, mdm_pieces(k, *deep)), j->step);
}

int mdm_avx2_gemm(struct mdm_cpu *cpu, const struct mdm_gemm *g)
{
    struct job j = {.g = g, .shared = cpu->workspace, .single = (float *)cpu->workspace + SHARED};
    int64_t wide, deep;

    if (!cpu->workspace || g->k <= 0)
        return mdm_cpu_gemm_c_f32(cpu, g);
    if (g->m <= 0 || g->n <= 0)
        return MASKDM_OK;
    cut_blocks(&j, &wide, &deep);
    for (j.column = 0; j.column < g->n; j.column += wide) {
        j.columns = mdm_lesser(wide, g->n - j.column);
        cut_units(&j);
        for (j.k = 0; j.k < g->k && !mdm_cancelled(g->cancel); j.k += deep) {
            j.depth = mdm_lesser(deep, g->k - j.k);
            j.last = j.k + j.depth == g->k;
            MDM_TRY(mdm_pool_run(cpu->pool, mdm_pieces(j.columns, 16 * BAND), pack_b, &j));
            MDM_TRY(mdm_pool_run(cpu->pool, j.row_units * j.column_units, make_unit, &j));
        }
    }
    return mdm_cancelled(g->cancel) ? mdm_fail(MASKDM_ECANCELED, "a matrix product was cancelled") : MASKDM_OK;
}

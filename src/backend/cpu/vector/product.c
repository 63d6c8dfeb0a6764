/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The register tile: up to MDM_TILE_ROWS rows by two vectors of sums stay in registers over the whole of k. Smaller
 * tiles at the edges are the same code with fewer rows, or one vector; a sum has one order in all of them. (Goto and
 * van de Geijn 2008; Van Zee and van de Geijn 2015, BLIS.)
 */
#include "backend/cpu/vector/rows.h"
#ifdef MDM_SET_NEON
#    include "backend/cpu/neon/steps.h"
#else
#    include "backend/cpu/vector/steps.h"
#endif

enum { LINE = 16, SPAN = 16 }; /* floats of a line of the cache; steps between two times that lines are asked for */

/* Lines that are needed later, so many each time: all at once they would keep waiting what the tile needs now. */
struct ahead {
    const float *at;
    int64_t lines;
};

/* rows, vectors and ragged are constants where this is inlined. */
static inline __attribute__((always_inline)) void sum_tile(int rows, struct mdm_across n, int64_t k, const float *a,
                                                           int64_t row, int64_t step, const float *b, int64_t b_step,
                                                           float *c, int64_t ldc, int add, struct ahead *next)
{
    const int last = n.vectors - 1;
    mdm_vec s[MDM_TILE_ROWS][2];

#pragma GCC unroll 12
    for (int i = 0; i < rows; i++)
        s[i][0] = s[i][1] = mdm_v_set(0);
    for (int64_t i = 0; k > 0; i++, k -= SPAN, a += SPAN * step, b += SPAN * b_step) {
        for (int64_t l = 0; l < next->lines; l++, next->at += LINE)
            __builtin_prefetch(next->at);
        for (int p = 0; i < rows && p < MDM_TILE_COLUMNS; p += LINE)
            __builtin_prefetch(c + i * ldc + p);
        mdm_sum_steps(s, rows, n, k < SPAN ? k : SPAN, a, row, step, b, b_step);
    }
#pragma GCC unroll 12
    for (int i = 0; i < rows; i++)
#pragma GCC unroll 2
        for (int v = 0; v < n.vectors; v++) {
            float *at = c + i * ldc + MDM_LANES * v;
            if (n.ragged && v == last)
                mdm_v_store_some(at, n.last, add ? mdm_v_plus(mdm_v_load_some(at, n.last), s[i][v]) : s[i][v]);
            else
                mdm_v_store(at, add ? mdm_v_plus(mdm_v_load(at), s[i][v]) : s[i][v]);
        }
}

/* Fewer rows than a tile has: a half of one, and what is left. */
static inline __attribute__((always_inline)) void sum_rest(struct mdm_across n, int64_t m, int64_t k,
                                                           struct mdm_left a, const float *b, int64_t b_step,
                                                           float *c, int64_t ldc, int add)
{
    struct ahead none = {NULL, 0};

    if (MDM_TILE_ROWS > 6 && m >= 6) {
        sum_tile(6, n, k, a.at, a.row, a.step, b, b_step, c, ldc, add, &none);
        a.at += 6 * a.row;
        c += 6 * ldc;
        m -= 6;
    }
    switch (m) {
    case 5:
        sum_tile(5, n, k, a.at, a.row, a.step, b, b_step, c, ldc, add, &none);
        break;
    case 4:
        sum_tile(4, n, k, a.at, a.row, a.step, b, b_step, c, ldc, add, &none);
        break;
    case 3:
        sum_tile(3, n, k, a.at, a.row, a.step, b, b_step, c, ldc, add, &none);
        break;
    case 2:
        sum_tile(2, n, k, a.at, a.row, a.step, b, b_step, c, ldc, add, &none);
        break;
    case 1:
        sum_tile(1, n, k, a.at, a.row, a.step, b, b_step, c, ldc, add, &none);
        break;
    }
}

/* All rows of one panel: whole tiles, then the rows that are left. `next` is the panel that comes after, whose lines
 * the tiles ask for between them. */
static inline __attribute__((always_inline)) void sum_panel(struct mdm_across n, int64_t m, int64_t k,
                                                            struct mdm_left a, const float *b, int64_t b_step,
                                                            float *c, int64_t ldc, int add, const float *next)
{
    struct ahead ahead = {next, next ? (SPAN * MDM_TILE_COLUMNS / LINE * MDM_TILE_ROWS + m) / (m + 1) : 0};

    for (; m >= MDM_TILE_ROWS; m -= MDM_TILE_ROWS) {
        sum_tile(MDM_TILE_ROWS, n, k, a.at, a.row, a.step, b, b_step, c, ldc, add, &ahead);
        a.at += a.group;
        c += MDM_TILE_ROWS * ldc;
    }
    sum_rest(n, m, k, a, b, b_step, c, ldc, add);
}

static void sum_whole(int vectors, int64_t m, int64_t k, struct mdm_left a, const float *b, int64_t b_step, float *c,
                      int64_t ldc, int add, const float *next)
{
    if (vectors == 2)
        sum_panel((struct mdm_across){2, 0, mdm_v_first(MDM_LANES)}, m, k, a, b, b_step, c, ldc, add, next);
    else
        sum_panel((struct mdm_across){1, 0, mdm_v_first(MDM_LANES)}, m, k, a, b, b_step, c, ldc, add, NULL);
}

static void sum_ragged(int vectors, mdm_some last, int64_t m, int64_t k, struct mdm_left a, const float *b,
                       int64_t b_step, float *c, int64_t ldc, int add)
{
    if (vectors == 2)
        sum_panel((struct mdm_across){2, 1, last}, m, k, a, b, b_step, c, ldc, add, NULL);
    else
        sum_panel((struct mdm_across){1, 1, last}, m, k, a, b, b_step, c, ldc, add, NULL);
}

void SET(mdm_product)(int64_t m, int64_t n, int64_t k, struct mdm_left a, struct mdm_right b, float *c, int64_t ldc,
                      int add)
{
    const int ahead = b.step == MDM_TILE_COLUMNS;

    for (; n > 0; n -= MDM_TILE_COLUMNS, b.at += b.panel, c += MDM_TILE_COLUMNS) {
        const int vectors = n > MDM_LANES ? 2 : 1;

        if (n >= MDM_TILE_COLUMNS || n == MDM_LANES)
            sum_whole(vectors, m, k, a, b.at, b.step, c, ldc, add,
                      ahead && n > MDM_TILE_COLUMNS ? b.at + b.panel : NULL);
        else
            sum_ragged(vectors, mdm_v_first(vectors == 2 ? n - MDM_LANES : n), m, k, a, b.at, b.step, c, ldc, add);
    }
}

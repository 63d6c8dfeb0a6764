/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The steps of a register tile over k by lanes. Of a whole tile's left factor, four steps of each row are one load
 * where it lies along k, and four rows of a step where it lies along its rows; a lane of that is an operand of the
 * multiply-add. Smaller tiles load elements one by one. Each sum has the same order in all three.
 */
#ifndef MASKDM_BACKEND_CPU_NEON_STEPS_H
#define MASKDM_BACKEND_CPU_NEON_STEPS_H

#include "backend/cpu/vector/vector.h"

struct mdm_right_row {
    mdm_vec v[2];
};

static inline __attribute__((always_inline)) struct mdm_right_row mdm_load_right(struct mdm_across n, const float *b)
{
    const float *end = b + (n.vectors - 1) * MDM_LANES;
    const mdm_vec last = n.ragged ? mdm_v_load_some(end, n.last) : mdm_v_load(end);

    return (struct mdm_right_row){{n.vectors == 2 ? mdm_v_load(b) : last, last}};
}

static inline __attribute__((always_inline)) void mdm_add_scaled(mdm_vec s[2], struct mdm_across n, float x,
                                                                 struct mdm_right_row b)
{
    s[0] = vfmaq_n_f32(s[0], b.v[0], x);
    if (n.vectors == 2)
        s[1] = vfmaq_n_f32(s[1], b.v[1], x);
}

/* Four steps of a tile that is whole */
static inline __attribute__((always_inline)) void mdm_four_steps(mdm_vec s[MDM_TILE_ROWS][2], struct mdm_across n,
                                                                 const float *a, int64_t row, const float *b,
                                                                 int64_t b_step)
{
    mdm_vec x[MDM_TILE_ROWS];

#pragma GCC unroll 8
    for (int i = 0; i < MDM_TILE_ROWS; i++)
        x[i] = mdm_v_load(a + i * row);
#pragma GCC unroll 4
    for (int lane = 0; lane < MDM_LANES; lane++) {
        const struct mdm_right_row right = mdm_load_right(n, b + lane * b_step);

#pragma GCC unroll 8
        for (int i = 0; i < MDM_TILE_ROWS; i++)
            mdm_add_scaled(s[i], n, x[i][lane], right);
    }
}

/* One step of a tile that is whole, whose rows lie side by side */
static inline __attribute__((always_inline)) void mdm_step_along(mdm_vec s[MDM_TILE_ROWS][2], struct mdm_across n,
                                                                 const float *a, const float *b)
{
    const struct mdm_right_row right = mdm_load_right(n, b);

#pragma GCC unroll 2
    for (int i = 0; i < MDM_TILE_ROWS; i += MDM_LANES) {
        const mdm_vec x = mdm_v_load(a + i);

#pragma GCC unroll 4
        for (int lane = 0; lane < MDM_LANES; lane++)
            mdm_add_scaled(s[i + lane], n, x[lane], right);
    }
}

/* rows, vectors and ragged are constants where this is inlined. */
static inline __attribute__((always_inline)) void mdm_sum_steps(mdm_vec s[MDM_TILE_ROWS][2], int rows,
                                                                struct mdm_across n, int64_t k, const float *a,
                                                                int64_t row, int64_t step, const float *b,
                                                                int64_t b_step)
{
    int64_t t = 0;

    if (rows == MDM_TILE_ROWS && step == 1)
        for (; t + MDM_LANES <= k; t += MDM_LANES, a += MDM_LANES, b += MDM_LANES * b_step)
            mdm_four_steps(s, n, a, row, b, b_step);
    else if (rows == MDM_TILE_ROWS && row == 1)
        for (; t < k; t++, a += step, b += b_step)
            mdm_step_along(s, n, a, b);
    for (; t < k; t++, a += step, b += b_step) {
        const struct mdm_right_row right = mdm_load_right(n, b);

#pragma GCC unroll 8
        for (int i = 0; i < rows; i++)
            mdm_add_scaled(s[i], n, a[i * row], right);
    }
}

#endif

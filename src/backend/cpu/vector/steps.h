/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The steps of a register tile over k: one element of the left factor in all lanes, times the vectors of a row of the
 * right one.
 */
#ifndef MASKDM_BACKEND_CPU_VECTOR_STEPS_H
#define MASKDM_BACKEND_CPU_VECTOR_STEPS_H

#include "backend/cpu/vector/vector.h"

/* rows, vectors and ragged are constants where this is inlined. */
static inline __attribute__((always_inline)) void mdm_sum_steps(mdm_vec s[MDM_TILE_ROWS][2], int rows,
                                                                struct mdm_across n, int64_t k, const float *a,
                                                                int64_t row, int64_t step, const float *b,
                                                                int64_t b_step)
{
    const int last = n.vectors - 1;
    const float *third[MDM_TILE_ROWS / 3]; /* an instruction's address has a row once or twice, no more */

#pragma GCC unroll 4
    for (int i = 0; i < MDM_TILE_ROWS / 3; i++)
        third[i] = a + 3 * i * row;
    for (int64_t t = 0; t < k; t++, b += b_step) {
        const float *end = b + last * MDM_LANES;
        const mdm_vec b1 = n.ragged ? mdm_v_load_some(end, n.last) : mdm_v_load(end), b0 = last ? mdm_v_load(b) : b1;
#pragma GCC unroll 12
        for (int i = 0; i < rows; i++) {
            const mdm_vec x = mdm_v_set(third[i / 3][i % 3 * row]);
            s[i][0] = mdm_v_fma(x, b0, s[i][0]);
            if (last)
                s[i][1] = mdm_v_fma(x, b1, s[i][1]);
        }
#pragma GCC unroll 4
        for (int i = 0; i < MDM_TILE_ROWS / 3; i++)
            third[i] += step;
    }
}

#endif

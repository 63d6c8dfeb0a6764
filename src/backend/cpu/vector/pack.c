/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Packed copies of the factors of a product.
 */
#include "backend/cpu/vector/rows.h"

#include <string.h>

enum { AHEAD = 12, LINE = 16 }; /* rows that are asked for in advance, each on a page of its own; floats of a line */

/* Four columns of MDM_LANES rows. */
static inline void transpose4(float *out, const float *x, int64_t stride)
{
    mdm_vec r[4];

    for (int i = 0; i < 4; i++)
        r[i] = mdm_v_load4(x + i * stride, 4 * stride);
    mdm_v_transpose4(r);
    for (int i = 0; i < 4; i++)
        mdm_v_store(out + i * MDM_TILE_COLUMNS, r[i]);
}

/* Up to MDM_LANES rows. */
static void transpose_rows(float *out, const float *x, int64_t stride, int64_t rows, int64_t width)
{
    int64_t k = 0;

    for (; rows == MDM_LANES && k + 4 <= width; k += 4)
        transpose4(out + k * MDM_TILE_COLUMNS, x + k, stride);
    for (; k < width; k++)
        for (int64_t i = 0; i < MDM_LANES; i++)
            out[k * MDM_TILE_COLUMNS + i] = i < rows ? x[i * stride + k] : 0;
}

void SET(mdm_pack_transposed)(float *out, int64_t panel, const float *x, int64_t stride, int64_t rows, int64_t width)
{
    for (int64_t i = 0; i < rows; i += MDM_LANES)
        transpose_rows(out + i / MDM_TILE_COLUMNS * panel + i % MDM_TILE_COLUMNS, x + i * stride, stride,
                       mdm_lesser(MDM_LANES, rows - i), width);
}

void SET(mdm_pack_panels)(float *out, int64_t panel, const float *x, int64_t stride, int64_t depth, int64_t width)
{
    for (int64_t k = 0; k < depth; k++, x += stride, out += MDM_TILE_COLUMNS) {
        int64_t i = 0;

        for (int64_t p = 0; p < width; p += LINE)
            __builtin_prefetch(x + AHEAD * stride + p);
        for (; i + MDM_LANES <= width; i += MDM_LANES)
            mdm_v_store(out + i / MDM_TILE_COLUMNS * panel + i % MDM_TILE_COLUMNS, mdm_v_load(x + i));
        for (; i < width; i++)
            out[i / MDM_TILE_COLUMNS * panel + i % MDM_TILE_COLUMNS] = x[i];
    }
}

void SET(mdm_pack_groups)(float *out, int64_t group, const float *x, int64_t stride, int64_t depth, int64_t width)
{
    for (int64_t k = 0; k < depth; k++, x += stride, out += MDM_TILE_ROWS) {
        float *at = out;
        int64_t i = 0;

        for (int64_t p = 0; p < width; p += LINE)
            __builtin_prefetch(x + AHEAD * stride + p);
        for (; i + MDM_TILE_ROWS <= width; i += MDM_TILE_ROWS, at += group)
            memcpy(at, x + i, MDM_TILE_ROWS * sizeof(float));
        for (int64_t n = i; n < width; n++)
            at[n - i] = x[n];
    }
}

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Values of 16 bits in float, as tensor/half.h has them but for what is not finite. By shifts, a difference and a
 * choice, which every set has, where the instructions that convert are extensions of their own.
 */
#include "backend/cpu/vector/rows.h"
#include "tensor/half.h"

#include <string.h>

typedef uint16_t halves __attribute__((vector_size(2 * MDM_LANES)));
typedef uint32_t words __attribute__((vector_size(4 * MDM_LANES)));
typedef float floats __attribute__((vector_size(4 * MDM_LANES)));

static inline words load(const uint16_t *x)
{
    halves h;

    memcpy(&h, x, sizeof h);
    return __builtin_convertvector(h, words);
}

static void widen_bf16(float *out, const uint16_t *x)
{
    const words bits = load(x) << 16;

    memcpy(out, &bits, sizeof bits);
}

static void widen_f16(float *out, const uint16_t *x)
{
    const uint32_t least = (uint32_t)1 << 23, bias = (uint32_t)112 << 23;
    const words half = load(x), size = (half & 0x7FFF) << 13, normal = size + bias, sign = (half & 0x8000) << 16;
    const words small = (words)((floats)(normal + least) - 0x1p-14f), is_small = (words)(size < least);
    const words bits = sign | (small & is_small) | (normal & ~is_small);

    memcpy(out, &bits, sizeof bits);
}

void SET(mdm_widen)(float *out, const uint16_t *x, enum mdm_dtype type, int64_t n)
{
    int64_t i = 0;

    if (type == MDM_F16) {
        for (; i + MDM_LANES <= n; i += MDM_LANES)
            widen_f16(out + i, x + i);
        for (; i < n; i++)
            out[i] = mdm_half_f16(x[i]);
        return;
    }
    for (; i + MDM_LANES <= n; i += MDM_LANES)
        widen_bf16(out + i, x + i);
    for (; i < n; i++)
        out[i] = mdm_half_bf16(x[i]);
}

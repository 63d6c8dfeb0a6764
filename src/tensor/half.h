/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What 16 bits say, in float, which holds every value of both types.
 */
#ifndef MASKDM_TENSOR_HALF_H
#define MASKDM_TENSOR_HALF_H

#include <stdint.h>
#include <string.h>

static inline float mdm_half_of_bits(uint32_t bits)
{
    float x;

    memcpy(&x, &bits, sizeof x);
    return x;
}

static inline float mdm_half_bf16(uint16_t half)
{
    return mdm_half_of_bits((uint32_t)half << 16);
}

/* 1 sign, 5 exponent (bias 15), 10 fraction bits. A NaN keeps its sign and payload. What is below the least normal
 * number is the difference of two that are not, so that a host that flushes small floats to zero changes nothing. */
static inline float mdm_half_f16(uint16_t half)
{
    const uint32_t sign = (uint32_t)(half & 0x8000) << 16, size = (uint32_t)(half & 0x7FFF) << 13;
    const uint32_t least = (uint32_t)1 << 23, bias = (uint32_t)112 << 23;
    uint32_t bits = size + bias;
    float small;

    if (half & 0x7C00)
        return mdm_half_of_bits(sign | (bits + ((half & 0x7C00) == 0x7C00 ? bias : 0)));
    small = mdm_half_of_bits(bits + least) - 0x1p-14f;
    memcpy(&bits, &small, sizeof bits);
    return mdm_half_of_bits(sign | bits);
}

#endif

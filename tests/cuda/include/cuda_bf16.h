/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Stands for CUDA's header of this name (cuda_runtime.h): bfloat16 and pairs of it.
 */
#ifndef MASKDM_TESTS_CUDA_BF16_H
#define MASKDM_TESTS_CUDA_BF16_H

#include "mdm_device.h"

struct __nv_bfloat16_raw {
    unsigned short x;
};

/* Round to nearest, ties to even; what is no number stays none. */
static inline unsigned short mdm_emulated_bf16(float f)
{
    uint32_t u = mdm_bits_as<uint32_t>(f);

    if ((u & 0x7fffffffu) > 0x7f800000u)
        return 0x7fff;
    return (unsigned short)((u + 0x7fffu + (u >> 16 & 1)) >> 16);
}

struct alignas(2) __nv_bfloat16 {
    unsigned short bits;

    __nv_bfloat16() = default;
    __nv_bfloat16(float f) : bits(mdm_emulated_bf16(f))
    {
    }
    __nv_bfloat16(__nv_bfloat16_raw r) : bits(r.x)
    {
    }
    operator float() const
    {
        return mdm_bits_as<float>((uint32_t)bits << 16);
    }
};

struct alignas(4) __nv_bfloat162 {
    __nv_bfloat16 x, y;

    __nv_bfloat162() = default;
    __nv_bfloat162(__nv_bfloat16 a, __nv_bfloat16 b) : x(a), y(b)
    {
    }
};
typedef __nv_bfloat16 nv_bfloat16;
typedef __nv_bfloat162 nv_bfloat162;

static inline __nv_bfloat16 __float2bfloat16_rn(float f)
{
    return __nv_bfloat16(f);
}
static inline __nv_bfloat16 __float2bfloat16(float f)
{
    return __nv_bfloat16(f);
}
static inline __nv_bfloat16 __double2bfloat16(double x)
{
    float f = (float)x;

    /* to odd first, so that the second rounding is the only one */
    if ((double)f != x && x == x && !(mdm_bits_as<uint32_t>(f) & 1))
        f = nextafterf(f, (double)f < x ? INFINITY : -INFINITY);
    return __nv_bfloat16(f);
}
static inline float __bfloat162float(__nv_bfloat16 x)
{
    return (float)x;
}
static inline unsigned short __bfloat16_as_ushort(__nv_bfloat16 x)
{
    return x.bits;
}
static inline __nv_bfloat16 __ushort_as_bfloat16(unsigned short x)
{
    return __nv_bfloat16(__nv_bfloat16_raw{x});
}
static inline __nv_bfloat162 __floats2bfloat162_rn(float x, float y)
{
    return __nv_bfloat162(__nv_bfloat16(x), __nv_bfloat16(y));
}
static inline __nv_bfloat162 __float22bfloat162_rn(float2 v)
{
    return __floats2bfloat162_rn(v.x, v.y);
}
static inline __nv_bfloat162 __float2bfloat162_rn(float x)
{
    return __floats2bfloat162_rn(x, x);
}
static inline __nv_bfloat162 __bfloat162bfloat162(__nv_bfloat16 x)
{
    return __nv_bfloat162(x, x);
}
static inline __nv_bfloat162 __halves2bfloat162(__nv_bfloat16 x, __nv_bfloat16 y)
{
    return __nv_bfloat162(x, y);
}
static inline float2 __bfloat1622float2(__nv_bfloat162 v)
{
    return float2{(float)v.x, (float)v.y};
}
static inline float __low2float(__nv_bfloat162 v)
{
    return (float)v.x;
}
static inline float __high2float(__nv_bfloat162 v)
{
    return (float)v.y;
}
static inline __nv_bfloat16 __low2bfloat16(__nv_bfloat162 v)
{
    return v.x;
}
static inline __nv_bfloat16 __high2bfloat16(__nv_bfloat162 v)
{
    return v.y;
}
static inline __nv_bfloat162 make_bfloat162(__nv_bfloat16 x, __nv_bfloat16 y)
{
    return __nv_bfloat162(x, y);
}

#endif

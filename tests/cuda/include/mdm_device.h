/* SPDX-License-Identifier: BSD-2-Clause
 *
 * CUDA's functions of device code, as far as a CPU has them to the same bits or nearly so.
 */
#ifndef MASKDM_TESTS_CUDA_DEVICE_H
#define MASKDM_TESTS_CUDA_DEVICE_H

#include "mdm_emulated.h"

#include <cmath>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

template <class To, class From> static inline To mdm_bits_as(From x)
{
    To y;

    static_assert(sizeof x == sizeof y, "the same bits");
    memcpy(&y, &x, sizeof y);
    return y;
}

/* ---- memory ---- */

template <class T> static inline T __ldg(const T *p)
{
    return *p;
}
template <class T> static inline T __ldcs(const T *p)
{
    return *p;
}
template <class T> static inline T __ldcg(const T *p)
{
    return *p;
}
template <class T> static inline void __stcs(T *p, T v)
{
    *p = v;
}
template <class T> static inline void __stcg(T *p, T v)
{
    *p = v;
}
static inline void __threadfence(void)
{
}
static inline void __threadfence_block(void)
{
}
[[noreturn]] static inline void __trap(void)
{
    abort();
}

/* Threads of a block take turns only where they meet. */
template <class T> static inline T atomicAdd(T *p, T v)
{
    static_assert(T(1) / T(2) == T(0), "sums of floats depend on the order of blocks");
    const T before = *p;

    *p = (T)(before + v);
    return before;
}
template <class T> static inline T atomicMax(T *p, T v)
{
    const T before = *p;

    *p = v > before ? v : before;
    return before;
}
template <class T> static inline T atomicOr(T *p, T v)
{
    const T before = *p;

    *p = before | v;
    return before;
}
static inline unsigned atomicInc(unsigned *p, unsigned most)
{
    const unsigned before = *p;

    *p = before >= most ? 0 : before + 1;
    return before;
}

/* ---- whole numbers ---- */

static inline unsigned __umulhi(unsigned a, unsigned b)
{
    return (unsigned)((uint64_t)a * b >> 32);
}
static inline int __mulhi(int a, int b)
{
    return (int)((int64_t)a * b >> 32);
}
__extension__ typedef unsigned __int128 mdm_u128;
static inline unsigned long long __umul64hi(unsigned long long a, unsigned long long b)
{
    return (unsigned long long)((mdm_u128)a * b >> 64);
}
static inline int __popc(unsigned x)
{
    return __builtin_popcount(x);
}
static inline int __popcll(unsigned long long x)
{
    return __builtin_popcountll(x);
}
static inline int __clz(int x)
{
    return x ? __builtin_clz((unsigned)x) : 32;
}
static inline int __clzll(long long x)
{
    return x ? __builtin_clzll((unsigned long long)x) : 64;
}
static inline int __ffs(int x)
{
    return __builtin_ffs(x);
}

/* CUDA lets min and max mix types as its headers do; the common type decides. */
#define MDM_MIN_MAX(T)                                                                                               \
    static inline T min(T a, T b)                                                                                    \
    {                                                                                                                \
        return b < a ? b : a;                                                                                        \
    }                                                                                                                \
    static inline T max(T a, T b)                                                                                    \
    {                                                                                                                \
        return a < b ? b : a;                                                                                        \
    }
MDM_MIN_MAX(int)
MDM_MIN_MAX(unsigned)
MDM_MIN_MAX(long)
MDM_MIN_MAX(unsigned long)
MDM_MIN_MAX(long long)
MDM_MIN_MAX(unsigned long long)
#undef MDM_MIN_MAX
static inline float min(float a, float b)
{
    return fminf(a, b);
}
static inline float max(float a, float b)
{
    return fmaxf(a, b);
}
static inline double min(double a, double b)
{
    return fmin(a, b);
}
static inline double max(double a, double b)
{
    return fmax(a, b);
}

/* ---- bits ---- */

static inline int __float_as_int(float x)
{
    return mdm_bits_as<int>(x);
}
static inline unsigned __float_as_uint(float x)
{
    return mdm_bits_as<unsigned>(x);
}
static inline float __int_as_float(int x)
{
    return mdm_bits_as<float>(x);
}
static inline float __uint_as_float(unsigned x)
{
    return mdm_bits_as<float>(x);
}
static inline long long __double_as_longlong(double x)
{
    return mdm_bits_as<long long>(x);
}
static inline double __longlong_as_double(long long x)
{
    return mdm_bits_as<double>(x);
}
static inline int __double2hiint(double x)
{
    return (int)(mdm_bits_as<uint64_t>(x) >> 32);
}
static inline int __double2loint(double x)
{
    return (int)(uint32_t)mdm_bits_as<uint64_t>(x);
}
static inline double __hiloint2double(int high, int low)
{
    return mdm_bits_as<double>((uint64_t)(uint32_t)high << 32 | (uint32_t)low);
}

/* ---- arithmetic that the compiler may not contract; here it never does ---- */

#define MDM_ROUNDED(T, p)                                                                                            \
    static inline T __##p##add_rn(T a, T b)                                                                          \
    {                                                                                                                \
        return a + b;                                                                                                \
    }                                                                                                                \
    static inline T __##p##sub_rn(T a, T b)                                                                          \
    {                                                                                                                \
        return a - b;                                                                                                \
    }                                                                                                                \
    static inline T __##p##mul_rn(T a, T b)                                                                          \
    {                                                                                                                \
        return a * b;                                                                                                \
    }                                                                                                                \
    static inline T __##p##div_rn(T a, T b)                                                                          \
    {                                                                                                                \
        return a / b;                                                                                                \
    }
MDM_ROUNDED(float, f)
MDM_ROUNDED(double, d)
#undef MDM_ROUNDED
static inline float __fmaf_rn(float a, float b, float c)
{
    return fmaf(a, b, c);
}
static inline double __fma_rn(double a, double b, double c)
{
    return fma(a, b, c);
}
static inline float __fsqrt_rn(float x)
{
    return sqrtf(x);
}
static inline double __dsqrt_rn(double x)
{
    return sqrt(x);
}
static inline float __frcp_rn(float x)
{
    return 1.0f / x;
}
static inline double __drcp_rn(double x)
{
    return 1.0 / x;
}
static inline float __frsqrt_rn(float x)
{
    return (float)(1 / sqrt((double)x));
}

/* ---- conversions ---- */

static inline float __double2float_rn(double x)
{
    return (float)x;
}
static inline int __float2int_rn(float x)
{
    return (int)lrintf(x);
}
static inline int __float2int_rz(float x)
{
    return (int)x;
}
static inline int __double2int_rn(double x)
{
    return (int)lrint(x);
}
static inline long long __double2ll_rn(double x)
{
    return llrint(x);
}
static inline double __ll2double_rn(long long x)
{
    return (double)x;
}
static inline double __ull2double_rn(unsigned long long x)
{
    return (double)x;
}
static inline float __int2float_rn(int x)
{
    return (float)x;
}
static inline float __uint2float_rn(unsigned x)
{
    return (float)x;
}
static inline double __uint2double_rn(unsigned x)
{
    return (double)x;
}
static inline double __int2double_rn(int x)
{
    return (double)x;
}

/* ---- functions; the fast ones of the device are less exact than these ---- */

static inline float rsqrtf(float x)
{
    return 1.0f / sqrtf(x);
}
static inline double rsqrt(double x)
{
    return 1.0 / sqrt(x);
}
static inline float rcbrtf(float x)
{
    return 1.0f / cbrtf(x);
}
/* The C library may have functions of these names, declared by now. */
#define __expf(x) expf(x)
#define __exp10f(x) powf(10.0f, (x))
#define exp10f(x) powf(10.0f, (x))
#define __logf(x) logf(x)
#define __log2f(x) log2f(x)
#define __sinf(x) sinf(x)
#define __cosf(x) cosf(x)
#define __powf(x, y) powf((x), (y))
#define sinpif(x) mdm_emulated_sinpif(x)
#define cospif(x) mdm_emulated_cospif(x)
static inline float __fdividef(float x, float y)
{
    return x / y;
}
static inline float __saturatef(float x)
{
    return x > 0 ? x < 1 ? x : 1.0f : 0.0f;
}
static inline float mdm_emulated_sinpif(float x)
{
    return (float)sin(3.14159265358979323846 * x);
}
static inline float mdm_emulated_cospif(float x)
{
    return (float)cos(3.14159265358979323846 * x);
}
static inline float normcdff(float x)
{
    return 0.5f * erfcf(-0.70710678118654752f * x);
}

#endif

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * CUDA's words and its short vectors.
 */
#ifndef MASKDM_TESTS_CUDA_VECTORS_H
#define MASKDM_TESTS_CUDA_VECTORS_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>

#define __global__
#define __device__
#define __host__
#define __constant__
#define __managed__
#define __forceinline__ inline
#define __launch_bounds__(...)
#define __grid_constant__
#define __restrict__ __restrict
#define __align__(n) __attribute__((aligned(n)))
/* Shared memory is one block's at a time, and blocks run one after the other. Thread-local variables of a module
 * stand side by side, which is how they are found to be filled with NaN before a block; but the address sanitizer can
 * only guard plain ones. */
#ifdef __SANITIZE_ADDRESS__
#    define __shared__ static
#else
#    define __shared__ static thread_local
#endif
#define MDM_CUDA_SHARED(type, name) type *const name = (type *)mdm_emulated_shared()

#define MDM_VECTOR(T, base, by1, by2, by4)                                                                           \
    struct by1 T##1                                                                                                  \
    {                                                                                                                \
        base x;                                                                                                      \
    };                                                                                                               \
    struct by2 T##2                                                                                                  \
    {                                                                                                                \
        base x, y;                                                                                                   \
    };                                                                                                               \
    struct T##3                                                                                                      \
    {                                                                                                                \
        base x, y, z;                                                                                                \
    };                                                                                                               \
    struct by4 T##4                                                                                                  \
    {                                                                                                                \
        base x, y, z, w;                                                                                             \
    };                                                                                                               \
    static inline T##1 make_##T##1(base x)                                                                           \
    {                                                                                                                \
        return T##1 {x};                                                                                             \
    }                                                                                                                \
    static inline T##2 make_##T##2(base x, base y)                                                                   \
    {                                                                                                                \
        return T##2 {x, y};                                                                                          \
    }                                                                                                                \
    static inline T##3 make_##T##3(base x, base y, base z)                                                           \
    {                                                                                                                \
        return T##3 {x, y, z};                                                                                       \
    }                                                                                                                \
    static inline T##4 make_##T##4(base x, base y, base z, base w)                                                   \
    {                                                                                                                \
        return T##4 {x, y, z, w};                                                                                    \
    }

typedef long long mdm_longlong;
typedef unsigned long long mdm_ulonglong;
MDM_VECTOR(char, signed char, alignas(1), alignas(2), alignas(4))
MDM_VECTOR(uchar, unsigned char, alignas(1), alignas(2), alignas(4))
MDM_VECTOR(short, short, alignas(2), alignas(4), alignas(8))
MDM_VECTOR(ushort, unsigned short, alignas(2), alignas(4), alignas(8))
MDM_VECTOR(int, int, alignas(4), alignas(8), alignas(16))
MDM_VECTOR(uint, unsigned, alignas(4), alignas(8), alignas(16))
MDM_VECTOR(longlong, mdm_longlong, alignas(8), alignas(16), alignas(16))
MDM_VECTOR(ulonglong, mdm_ulonglong, alignas(8), alignas(16), alignas(16))
MDM_VECTOR(float, float, alignas(4), alignas(8), alignas(16))
MDM_VECTOR(double, double, alignas(8), alignas(16), alignas(16))
#undef MDM_VECTOR

struct dim3 {
    unsigned x, y, z;
    constexpr dim3(unsigned a = 1, unsigned b = 1, unsigned c = 1) : x(a), y(b), z(c)
    {
    }
    constexpr dim3(uint3 a) : x(a.x), y(a.y), z(a.z)
    {
    }
    constexpr operator uint3() const
    {
        return uint3{x, y, z};
    }
};

#endif

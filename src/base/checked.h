/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Checked arithmetic. Every number that comes from a file or a caller passes through here before it sizes,
 * offsets or indexes anything. Each function returns 0 on success and -1 when the result does not fit; the
 * result is then unchanged. tests/lint forbids raw + and * on such numbers in src/io and src/data.
 */
#ifndef MASKDM_BASE_CHECKED_H
#define MASKDM_BASE_CHECKED_H

#include <stddef.h>
#include <stdint.h>

static inline int mdm_add_u64(uint64_t *out, uint64_t a, uint64_t b)
{
    uint64_t r;
    if (__builtin_add_overflow(a, b, &r))
        return -1;
    *out = r;
    return 0;
}

static inline int mdm_sub_u64(uint64_t *out, uint64_t a, uint64_t b)
{
    uint64_t r;
    if (__builtin_sub_overflow(a, b, &r))
        return -1;
    *out = r;
    return 0;
}

static inline int mdm_mul_u64(uint64_t *out, uint64_t a, uint64_t b)
{
    uint64_t r;
    if (__builtin_mul_overflow(a, b, &r))
        return -1;
    *out = r;
    return 0;
}

static inline int mdm_add_size(size_t *out, size_t a, size_t b)
{
    size_t r;
    if (__builtin_add_overflow(a, b, &r))
        return -1;
    *out = r;
    return 0;
}

static inline int mdm_mul_size(size_t *out, size_t a, size_t b)
{
    size_t r;
    if (__builtin_mul_overflow(a, b, &r))
        return -1;
    *out = r;
    return 0;
}

static inline int mdm_mul_i64(int64_t *out, int64_t a, int64_t b)
{
    int64_t r;
    if (__builtin_mul_overflow(a, b, &r))
        return -1;
    *out = r;
    return 0;
}

static inline int mdm_add_i64(int64_t *out, int64_t a, int64_t b)
{
    int64_t r;
    if (__builtin_add_overflow(a, b, &r))
        return -1;
    *out = r;
    return 0;
}

/* u64 to size_t and to int64_t. */
static inline int mdm_to_size(size_t *out, uint64_t a)
{
    if (a > SIZE_MAX)
        return -1;
    *out = (size_t)a;
    return 0;
}

static inline int mdm_to_i64(int64_t *out, uint64_t a)
{
    if (a > INT64_MAX)
        return -1;
    *out = (int64_t)a;
    return 0;
}

/* Round up to a multiple of `align`, a power of two. */
static inline int mdm_align_size(size_t *out, size_t a, size_t align)
{
    size_t r;
    if (mdm_add_size(&r, a, align - 1))
        return -1;
    *out = r & ~(align - 1);
    return 0;
}

#endif

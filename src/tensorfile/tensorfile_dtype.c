/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Element types, by the names that safetensors has for them: the values of their bits, and what shapes of them take.
 */
#include "tensorfile/tensorfile_private.h"

#include "base/checked.h"
#include "tensor/half.h"

#include <math.h>
#include <string.h>

static double real_f64(uint64_t bits)
{
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static double real_f32(uint64_t bits)
{
    uint32_t low = (uint32_t)bits;
    float x;
    memcpy(&x, &low, sizeof x);
    return x;
}

static double real_bf16(uint64_t bits)
{
    return (double)mdm_half_bf16((uint16_t)bits);
}

static double real_f16(uint64_t bits)
{
    return (double)mdm_half_f16((uint16_t)bits);
}

/* `bits` without the lowest `drop`, rounded to nearest, ties to even. A carry into the exponent is right. */
static uint32_t round_off(uint32_t bits, int drop)
{
    const uint32_t half = (uint32_t)1 << (drop - 1), rest = bits & (2 * half - 1);

    bits >>= drop;
    return bits + (rest > half || (rest == half && (bits & 1)));
}

static uint32_t bits_of(float x)
{
    uint32_t bits;

    memcpy(&bits, &x, sizeof bits);
    return bits;
}

uint16_t mdm_tensorfile_to_bf16(float x)
{
    const uint32_t bits = bits_of(x);

    return isnan(x) ? (uint16_t)(bits >> 16 | 0x40) : (uint16_t)round_off(bits, 16);
}

uint16_t mdm_tensorfile_to_f16(float x)
{
    const uint32_t bits = bits_of(x), sign = bits >> 16 & 0x8000, size = bits & 0x7FFFFFFF;
    const int exponent = (int)(size >> 23) - 127;

    if (size > 0x7F800000)
        return (uint16_t)(sign | 0x7E00 | (size >> 13 & 0x3FF));
    if (exponent >= 16)
        return (uint16_t)(sign | 0x7C00);
    if (exponent >= -14) /* from 65520 on the carry makes infinity */
        return (uint16_t)(sign | round_off(size - ((uint32_t)112 << 23), 13));
    if (exponent < -25)
        return (uint16_t)sign;
    return (uint16_t)(sign | round_off((size & 0x7FFFFF) | 0x800000, -exponent - 1));
}

/* The 8-bit floats are carried as bytes; nothing here computes with them. */
static const struct mdm_tensorfile_dtype types[] = {
    {"F32", 4, MDM_TENSORFILE_FLOAT, real_f32},  {"F64", 8, MDM_TENSORFILE_FLOAT, real_f64},
    {"F16", 2, MDM_TENSORFILE_FLOAT, real_f16},  {"BF16", 2, MDM_TENSORFILE_FLOAT, real_bf16},
    {"BOOL", 1, MDM_TENSORFILE_UNSIGNED, NULL},  {"U8", 1, MDM_TENSORFILE_UNSIGNED, NULL},
    {"I8", 1, MDM_TENSORFILE_SIGNED, NULL},      {"U16", 2, MDM_TENSORFILE_UNSIGNED, NULL},
    {"I16", 2, MDM_TENSORFILE_SIGNED, NULL},     {"U32", 4, MDM_TENSORFILE_UNSIGNED, NULL},
    {"I32", 4, MDM_TENSORFILE_SIGNED, NULL},     {"U64", 8, MDM_TENSORFILE_UNSIGNED, NULL},
    {"I64", 8, MDM_TENSORFILE_SIGNED, NULL},     {"F8_E5M2", 1, MDM_TENSORFILE_OPAQUE, NULL},
    {"F8_E4M3", 1, MDM_TENSORFILE_OPAQUE, NULL},
};

const struct mdm_tensorfile_dtype *mdm_tensorfile_dtype_find(const char *name)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (!strcmp(types[i].name, name))
            return &types[i];
    return NULL;
}

int mdm_tensorfile_measure(struct mdm_tensorfile_tensor *t, const struct mdm_tensorfile_dtype *type, uint64_t *bytes)
{
    int64_t product = type->size;
    int empty = 0;

    /* A zero dimension is left out of the product, so that the order of the dimensions plays no part in
     * whether a shape is too large. */
    for (int i = 0; i < t->rank; i++)
        if (t->shape[i] == 0)
            empty = 1;
        else if (mdm_mul_i64(&product, product, t->shape[i]))
            return -1;
    t->elements = empty ? 0 : product / type->size;
    *bytes = empty ? 0 : (uint64_t)product;
    return MASKDM_OK;
}

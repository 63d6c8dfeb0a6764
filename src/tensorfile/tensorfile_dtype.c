/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Element types, by the names that safetensors has for them: the values of their bits, and what shapes of them take.
 */
#include "tensorfile/tensorfile_private.h"

#include "base/checked.h"

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
    return real_f32(bits << 16);
}

/* 1 sign, 5 exponent (bias 15), 10 fraction bits. A NaN keeps its sign and payload. */
static double real_f16(uint64_t bits)
{
    uint64_t sign = (bits & 0x8000) << 16, fraction = bits & 0x3FF;
    int exponent = (int)(bits >> 10 & 31);

    if (exponent == 31)
        return real_f32(sign | 0x7F800000 | fraction << 13);
    if (exponent)
        return real_f32(sign | (uint64_t)(exponent + 112) << 23 | fraction << 13);
    return sign ? -ldexp((double)fraction, -24) : ldexp((double)fraction, -24);
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

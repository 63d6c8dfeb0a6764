/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Rounding to 16 bits.
 */
#include "model/rounding.h"

#include "base/error.h"
#include "tensor/half.h"
#include "tensorfile/tensorfile.h"

static float from_f16(uint16_t half)
{
    return mdm_half_f16(half);
}

static float from_bf16(uint16_t half)
{
    return mdm_half_bf16(half);
}

static const struct mdm_rounding types[] = {
    {MDM_F16, "F16", "float16", mdm_tensorfile_to_f16, from_f16, 0x7C00, 65504},
    {MDM_BF16, "BF16", "bfloat16", mdm_tensorfile_to_bf16, from_bf16, 0x7F80, 0x1.FEp127}};

const struct mdm_rounding *mdm_rounding(int i)
{
    return i >= 0 && i < (int)MDM_LENGTH(types) ? &types[i] : NULL;
}

const struct mdm_rounding *mdm_rounding_to(enum mdm_dtype type)
{
    for (size_t i = 0; i < MDM_LENGTH(types); i++)
        if (types[i].type == type)
            return &types[i];
    return NULL;
}

/* Infinity has all ones in the exponent, as only what is not finite has. */
int mdm_rounding_apply(const struct mdm_rounding *r, uint16_t *out, const char *name, const float *x, int64_t n,
                       int64_t before, int64_t count)
{
    for (int64_t i = 0; i < n; i++) {
        out[i] = r->round(x[i]);
        if ((out[i] & r->infinity) == r->infinity)
            return mdm_fail(MASKDM_EINVAL,
                            "tensor \"%s\" holds %g at %lld of %lld, which %s, up to %g, makes infinite", name,
                            (double)x[i], (long long)(before + i), (long long)count, r->name, r->largest);
    }
    return MASKDM_OK;
}

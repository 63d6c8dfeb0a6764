/* SPDX-License-Identifier: BSD-2-Clause
 *
 * 2^x for a vector of floats.
 */
#ifndef MASKDM_BACKEND_CPU_VECTOR_EXP2_H
#define MASKDM_BACKEND_CPU_VECTOR_EXP2_H

#include "backend/cpu/vector/vector.h"

/* For x <= 126: the relative error stays below 2.5e-7, 2^0 is exactly 1, below 2^-126 the result is 0, also of
 * -infinity, and a NaN stays one. x is split into the nearest integer, which the addition of 1.5 2^23 leaves in the
 * low bits, and a rest in [-1/2, 1/2] for a minimax polynomial; what ends as 0 is brought near before, since its rest
 * would overflow, or be infinity less infinity, and a host may trap that. */
static inline mdm_vec mdm_v_exp2(mdm_vec x)
{
    const mdm_vec magic = mdm_v_set(0x1.8p23f), near = mdm_v_max(mdm_v_set(-127.0f), x), shifted = near + magic;
    const mdm_vec f = near - (shifted - magic);
    mdm_vec y = mdm_v_set(0x1.5c08e4p-10f);

    y = mdm_v_fma(y, f, mdm_v_set(0x1.3d0c54p-7f));
    y = mdm_v_fma(y, f, mdm_v_set(0x1.c6b6e4p-5f));
    y = mdm_v_fma(y, f, mdm_v_set(0x1.ebf918p-3f));
    y = mdm_v_fma(y, f, mdm_v_set(0x1.62e428p-1f));
    y = mdm_v_fma(y, f, mdm_v_set(1.0f));
    return mdm_v_unless_below(x, mdm_v_set(-126.0f), mdm_v_raise(y, shifted));
}

#endif

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * NEON for machines that have none: in the place of the compiler's header stand those of SIMDe's portable
 * implementation that the kernels' sources (src/backend/cpu/vector/) need; all of them take seconds a file. What
 * Debian 12's SIMDe (0.7.4) lacks follows here, written from its definition.
 */
#ifndef MASKDM_TESTS_KERNEL_NEON_ARM_NEON_H
#define MASKDM_TESTS_KERNEL_NEON_ARM_NEON_H

#pragma GCC system_header
#define SIMDE_ENABLE_NATIVE_ALIASES
#include <simde/arm/neon/abs.h>
#include <simde/arm/neon/add.h>
#include <simde/arm/neon/addv.h>
#include <simde/arm/neon/bsl.h>
#include <simde/arm/neon/cle.h>
#include <simde/arm/neon/clt.h>
#include <simde/arm/neon/combine.h>
#include <simde/arm/neon/cvt.h>
#include <simde/arm/neon/dup_lane.h>
#include <simde/arm/neon/dup_n.h>
#include <simde/arm/neon/fma.h>
#include <simde/arm/neon/fma_n.h>
#include <simde/arm/neon/get_high.h>
#include <simde/arm/neon/get_low.h>
#include <simde/arm/neon/ld1.h>
#include <simde/arm/neon/ld1_lane.h>
#include <simde/arm/neon/max.h>
#include <simde/arm/neon/maxv.h>
#include <simde/arm/neon/min.h>
#include <simde/arm/neon/neg.h>
#include <simde/arm/neon/reinterpret.h>
#include <simde/arm/neon/rev64.h>
#include <simde/arm/neon/shl_n.h>
#include <simde/arm/neon/shr_n.h>
#include <simde/arm/neon/st1.h>
#include <simde/arm/neon/st1_lane.h>
#include <simde/arm/neon/trn1.h>
#include <simde/arm/neon/trn2.h>

#include <math.h>

static inline float32x4_t mdm_emulated_roots(float32x4_t x)
{
    for (int i = 0; i < 4; i++)
        x[i] = sqrtf(x[i]);
    return x;
}

static inline float64x2_t mdm_emulated_wide_roots(float64x2_t x)
{
    for (int i = 0; i < 2; i++)
        x[i] = sqrt(x[i]);
    return x;
}

#define vsqrtq_f32(x) mdm_emulated_roots(x)
#define vsqrtq_f64(x) mdm_emulated_wide_roots(x)

#endif

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Attention's rows for the kernel tables, and how its units look at a call's wish to stop.
 */
#ifndef MASKDM_BACKEND_CPU_ATTENTION_H
#define MASKDM_BACKEND_CPU_ATTENTION_H

#include "backend/cpu/cpu.h"
#include "util/error.h"

extern const struct maskdm_kernel maskdm_cpu_attention_f32, maskdm_cpu_attention_f64;
extern const struct maskdm_kernel maskdm_cpu_attention_avx2; /* x86-64 builds only */

static inline int maskdm_cancelled(const atomic_int *cancel)
{
    return cancel && atomic_load_explicit(cancel, memory_order_relaxed) != 0;
}

#endif

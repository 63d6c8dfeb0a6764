/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What AVX2 with FMA replaces in the float table.
 */
#include "backend/cpu/attention.h"
#include "backend/cpu/cpu.h"

void maskdm_cpu_table_avx2(struct maskdm_cpu_table *t)
{
    t->kernel[MASKDM_OP_ATTENTION] = maskdm_cpu_attention_avx2;
}

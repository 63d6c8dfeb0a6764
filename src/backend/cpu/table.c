/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The table of portable kernels, one line per operation.
 */
#include "backend/cpu/attention.h"
#include "backend/cpu/rows.h"

void REAL(maskdm_cpu_table_c)(struct maskdm_cpu_table *t)
{
    t->REAL(rows) = &REAL(maskdm_rows_c);
    t->gemm = REAL(maskdm_cpu_gemm_c);
    t->kernel[MASKDM_OP_LINEAR] = REAL(maskdm_cpu_linear);
    t->kernel[MASKDM_OP_LINEAR_SILU] = REAL(maskdm_cpu_linear_silu);
    t->kernel[MASKDM_OP_LINEAR2] = REAL(maskdm_cpu_linear2);
    t->kernel[MASKDM_OP_LAYERNORM] = REAL(maskdm_cpu_layernorm);
    t->kernel[MASKDM_OP_ADD_NORM] = REAL(maskdm_cpu_add_norm);
    t->kernel[MASKDM_OP_GELU] = REAL(maskdm_cpu_gelu);
    t->kernel[MASKDM_OP_ADD] = REAL(maskdm_cpu_add);
    t->kernel[MASKDM_OP_QKV_BIAS] = REAL(maskdm_cpu_qkv_bias);
    t->kernel[MASKDM_OP_ATTENTION] = REAL(maskdm_cpu_attention);
    t->kernel[MASKDM_OP_PATCHIFY] = REAL(maskdm_cpu_patchify);
    t->kernel[MASKDM_OP_TIMESTEP] = REAL(maskdm_cpu_timestep);
    t->kernel[MASKDM_OP_EMBED] = REAL(maskdm_cpu_embed);
    t->kernel[MASKDM_OP_TOKENS] = REAL(maskdm_cpu_tokens);
    t->kernel[MASKDM_OP_TRIM] = REAL(maskdm_cpu_trim);
}

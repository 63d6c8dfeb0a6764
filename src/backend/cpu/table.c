/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The table of portable kernels, one line per operation.
 */
#include "backend/cpu/attention.h"
#include "backend/cpu/rows.h"

void REAL(mdm_cpu_table_c)(struct mdm_cpu_table *t)
{
    t->REAL(rows) = &REAL(mdm_rows_c);
    t->gemm = REAL(mdm_cpu_gemm_c);
    t->kernel[MDM_OP_LINEAR] = REAL(mdm_cpu_linear);
    t->kernel[MDM_OP_LINEAR_SILU] = REAL(mdm_cpu_linear_silu);
    t->kernel[MDM_OP_LINEAR2] = REAL(mdm_cpu_linear2);
    t->kernel[MDM_OP_LOWRANK] = REAL(mdm_cpu_lowrank);
    t->kernel[MDM_OP_LAYERNORM] = REAL(mdm_cpu_layernorm);
    t->kernel[MDM_OP_ADD_NORM] = REAL(mdm_cpu_add_norm);
    t->kernel[MDM_OP_MODULATE] = REAL(mdm_cpu_modulate);
    t->kernel[MDM_OP_GATE_ADD] = REAL(mdm_cpu_gate_add);
    t->kernel[MDM_OP_GELU] = REAL(mdm_cpu_gelu);
    t->kernel[MDM_OP_GELU_TANH] = REAL(mdm_cpu_gelu_tanh);
    t->kernel[MDM_OP_SILU] = REAL(mdm_cpu_silu);
    t->kernel[MDM_OP_ADD] = REAL(mdm_cpu_add);
    t->kernel[MDM_OP_QKV_BIAS] = REAL(mdm_cpu_qkv_bias);
    t->kernel[MDM_OP_ATTENTION] = REAL(mdm_cpu_attention);
    t->kernel[MDM_OP_PATCHIFY] = REAL(mdm_cpu_patchify);
    t->kernel[MDM_OP_TIMESTEP] = REAL(mdm_cpu_timestep);
    t->kernel[MDM_OP_EMBED] = REAL(mdm_cpu_embed);
    t->kernel[MDM_OP_TOKENS] = REAL(mdm_cpu_tokens);
    t->kernel[MDM_OP_TRIM] = REAL(mdm_cpu_trim);
    t->kernel[MDM_OP_ROUTE] = REAL(mdm_cpu_route);
    t->kernel[MDM_OP_UNROUTE] = REAL(mdm_cpu_unroute);
    t->kernel[MDM_OP_CONV] = REAL(mdm_cpu_conv);
    t->kernel[MDM_OP_GROUP_NORM] = REAL(mdm_cpu_group_norm);
    t->kernel[MDM_OP_GROUP_NORM_SILU] = REAL(mdm_cpu_group_norm_silu);
    t->kernel[MDM_OP_UPSAMPLE] = REAL(mdm_cpu_upsample);
    t->kernel[MDM_OP_DOWNSAMPLE] = REAL(mdm_cpu_downsample);
    t->kernel[MDM_OP_CONCAT] = REAL(mdm_cpu_concat);
    t->kernel[MDM_OP_HIDE] = REAL(mdm_cpu_hide);
    t->kernel[MDM_OP_CUT] = REAL(mdm_cpu_cut);
    t->kernel[MDM_OP_PASTE] = REAL(mdm_cpu_paste);
    t->kernel[MDM_OP_SWIGLU] = REAL(mdm_cpu_swiglu);
    t->kernel[MDM_OP_RMS_MODULATE] = REAL(mdm_cpu_rms_modulate);
    t->kernel[MDM_OP_ANGLES] = REAL(mdm_cpu_angles);
    t->kernel[MDM_OP_QK_ROTATE] = REAL(mdm_cpu_qk_rotate);
    t->kernel[MDM_OP_FILL] = REAL(mdm_cpu_fill);
    t->kernel[MDM_OP_TRANSPOSE] = REAL(mdm_cpu_transpose);
    t->kernel[MDM_OP_CONTEXT] = REAL(mdm_cpu_context);
    t->kernel[MDM_OP_RELU] = REAL(mdm_cpu_relu);
    t->kernel[MDM_OP_MAX_POOL] = REAL(mdm_cpu_max_pool);
    t->kernel[MDM_OP_AVERAGE_POOL] = REAL(mdm_cpu_average_pool);
    t->kernel[MDM_OP_NARROW] = REAL(mdm_cpu_narrow);
    t->kernel[MDM_OP_WIDEN] = REAL(mdm_cpu_widen);
}

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What AVX2 with FMA replaces in the float table.
 */
#include "backend/cpu/attention.h"
#include "backend/cpu/avx2/gemm.h"
#include "backend/cpu/avx2/rows.h"

static const struct maskdm_rows_f32 rows = {
    .gelu = maskdm_gelu_avx2,
    .silu = maskdm_silu_avx2,
    .gelu_backward = maskdm_gelu_backward_avx2,
    .silu_backward = maskdm_silu_backward_avx2,
    .add = maskdm_add_avx2,
    .norm = maskdm_norm_avx2,
    .norm_backward = maskdm_norm_backward_avx2,
};

void maskdm_cpu_table_avx2(struct maskdm_cpu_table *t)
{
    t->rows_f32 = &rows;
    t->adamw = maskdm_adamw_avx2;
    t->sum_squares = maskdm_sum_squares_avx2;
    t->gemm = maskdm_avx2_gemm;
    t->gemm_workspace = maskdm_avx2_gemm_workspace;
    t->kernel[MASKDM_OP_ATTENTION] = maskdm_cpu_attention_avx2;
}

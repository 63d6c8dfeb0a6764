/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What AVX2 with FMA replaces in the float table.
 */
#include "backend/cpu/attention.h"
#include "backend/cpu/avx2/gemm.h"
#include "backend/cpu/avx2/rows.h"
#include "backend/cpu/loss.h"

static const struct mdm_rows_f32 rows = {
    .gelu = mdm_gelu_avx2,
    .gelu_tanh = mdm_gelu_tanh_avx2,
    .silu = mdm_silu_avx2,
    .gelu_backward = mdm_gelu_backward_avx2,
    .gelu_tanh_backward = mdm_gelu_tanh_backward_avx2,
    .silu_backward = mdm_silu_backward_avx2,
    .add = mdm_add_avx2,
    .mul_add = mdm_mul_add_avx2,
    .affine = mdm_affine_avx2,
    .moment = mdm_moment_avx2,
    .modulate = mdm_modulate_avx2,
    .norm = mdm_norm_avx2,
    .norm_backward = mdm_norm_backward_avx2,
    .silu_mul = mdm_silu_mul_avx2,
    .silu_mul_backward = mdm_silu_mul_backward_avx2,
    .rms_norm = mdm_rms_norm_avx2,
    .rms_norm_backward = mdm_rms_norm_backward_avx2,
    .turn = mdm_turn_avx2,
};

void mdm_cpu_table_avx2(struct mdm_cpu_table *t)
{
    t->rows_f32 = &rows;
    t->adamw = mdm_optimizer_avx2;
    t->sum_squares = mdm_sum_squares_avx2;
    t->loss = mdm_loss_runs_avx2;
    t->gemm = mdm_avx2_gemm;
    t->gemm_workspace = mdm_avx2_gemm_workspace;
    t->kernel[MDM_OP_ATTENTION] = mdm_cpu_attention_avx2;
}

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What vectors replace in the float table.
 */
#include "backend/cpu/attention.h"
#include "backend/cpu/tile/gemm.h"
#include "backend/cpu/vector/rows.h"

void SET(mdm_cpu_table)(struct mdm_cpu_table *t);

static const struct mdm_rows_f32 rows = {
    .gelu = SET(mdm_gelu),
    .gelu_tanh = SET(mdm_gelu_tanh),
    .silu = SET(mdm_silu),
    .gelu_backward = SET(mdm_gelu_backward),
    .gelu_tanh_backward = SET(mdm_gelu_tanh_backward),
    .silu_backward = SET(mdm_silu_backward),
    .add = SET(mdm_add),
    .mul_add = SET(mdm_mul_add),
    .affine = SET(mdm_affine),
    .moment = SET(mdm_moment),
    .modulate = SET(mdm_modulate),
    .norm = SET(mdm_norm),
    .norm_backward = SET(mdm_norm_backward),
    .silu_mul = SET(mdm_silu_mul),
    .silu_mul_backward = SET(mdm_silu_mul_backward),
    .rms_norm = SET(mdm_rms_norm),
    .rms_norm_backward = SET(mdm_rms_norm_backward),
    .turn = SET(mdm_turn),
};

static const struct mdm_tile tile = {
    .rows = MDM_TILE_ROWS,
    .columns = MDM_TILE_COLUMNS,
    .lanes = MDM_LANES,
    .product = SET(mdm_product),
    .pack_rows = SET(mdm_pack_rows),
    .pack_transposed = SET(mdm_pack_transposed),
    .pack_panels = SET(mdm_pack_panels),
    .pack_groups = SET(mdm_pack_groups),
    .widen = SET(mdm_widen),
    .soften = SET(mdm_soften),
    .weigh = SET(mdm_weigh),
    .slope = SET(mdm_slope),
    .dot = SET(mdm_dot),
    .scale = SET(mdm_scale),
    .sum = SET(mdm_sum),
};

void SET(mdm_cpu_table)(struct mdm_cpu_table *t)
{
    t->rows_f32 = &rows;
    t->tile = &tile;
    t->adamw = SET(mdm_optimizer);
    t->sum_squares = SET(mdm_sum_squares);
    t->loss = SET(mdm_loss_runs);
    t->gemm = mdm_tile_gemm;
    t->gemm_workspace = mdm_tile_gemm_workspace;
    t->kernel[MDM_OP_ATTENTION] = mdm_tile_attention;
}

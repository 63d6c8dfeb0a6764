/* SPDX-License-Identifier: BSD-2-Clause
 *
 * All kernels.
 */
#include "backend/cuda/table.cuh"

int mdm_cuda_fill_table(struct mdm_cuda *d)
{
    static int (*const add[])(struct mdm_cuda *) = {
        mdm_cuda_add_activation, mdm_cuda_add_add,      mdm_cuda_add_attention,    mdm_cuda_add_cast,
        mdm_cuda_add_concat,     mdm_cuda_add_context,  mdm_cuda_add_conv,         mdm_cuda_add_cut,
        mdm_cuda_add_embed,      mdm_cuda_add_fill,     mdm_cuda_add_group_norm,   mdm_cuda_add_linear,
        mdm_cuda_add_lowrank,    mdm_cuda_add_modulate, mdm_cuda_add_norm,         mdm_cuda_add_patchify,
        mdm_cuda_add_pool,       mdm_cuda_add_resample, mdm_cuda_add_rms_modulate, mdm_cuda_add_rotate,
        mdm_cuda_add_route,      mdm_cuda_add_swiglu,   mdm_cuda_add_timestep,     mdm_cuda_add_tokens,
        mdm_cuda_add_transpose, mdm_cuda_add_mlp,
    };

    for (int (*const one)(struct mdm_cuda *) : add)
        MDM_CUDA_TRY(one(d));
    return MASKDM_OK;
}

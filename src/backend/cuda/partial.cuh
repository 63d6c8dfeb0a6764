/* SPDX-License-Identifier: BSD-2-Clause
 *
 * While the module is being written file by file: what has no file yet is NULL, so that the rest can be opened. Goes
 * with the last file.
 */
#ifndef MASKDM_BACKEND_CUDA_PARTIAL_CUH
#define MASKDM_BACKEND_CUDA_PARTIAL_CUH

#include "backend/cuda/product.cuh"
#include "backend/cuda/table.cuh"

#define MDM_CUDA_PARTIAL(name) extern decltype(name) name __attribute__((weak))
MDM_CUDA_PARTIAL(mdm_cuda_adamw);
MDM_CUDA_PARTIAL(mdm_cuda_add_activation);
MDM_CUDA_PARTIAL(mdm_cuda_add_add);
MDM_CUDA_PARTIAL(mdm_cuda_add_attention);
MDM_CUDA_PARTIAL(mdm_cuda_add_cast);
MDM_CUDA_PARTIAL(mdm_cuda_add_concat);
MDM_CUDA_PARTIAL(mdm_cuda_add_context);
MDM_CUDA_PARTIAL(mdm_cuda_add_conv);
MDM_CUDA_PARTIAL(mdm_cuda_add_cut);
MDM_CUDA_PARTIAL(mdm_cuda_add_embed);
MDM_CUDA_PARTIAL(mdm_cuda_add_fill);
MDM_CUDA_PARTIAL(mdm_cuda_add_group_norm);
MDM_CUDA_PARTIAL(mdm_cuda_add_linear);
MDM_CUDA_PARTIAL(mdm_cuda_add_lowrank);
MDM_CUDA_PARTIAL(mdm_cuda_add_modulate);
MDM_CUDA_PARTIAL(mdm_cuda_add_norm);
MDM_CUDA_PARTIAL(mdm_cuda_add_patchify);
MDM_CUDA_PARTIAL(mdm_cuda_add_pool);
MDM_CUDA_PARTIAL(mdm_cuda_add_resample);
MDM_CUDA_PARTIAL(mdm_cuda_add_rms_modulate);
MDM_CUDA_PARTIAL(mdm_cuda_add_rotate);
MDM_CUDA_PARTIAL(mdm_cuda_add_route);
MDM_CUDA_PARTIAL(mdm_cuda_add_swiglu);
MDM_CUDA_PARTIAL(mdm_cuda_add_timestep);
MDM_CUDA_PARTIAL(mdm_cuda_add_tokens);
MDM_CUDA_PARTIAL(mdm_cuda_add_transpose);
MDM_CUDA_PARTIAL(mdm_cuda_blas_close);
MDM_CUDA_PARTIAL(mdm_cuda_blas_open);
MDM_CUDA_PARTIAL(mdm_cuda_ema);
MDM_CUDA_PARTIAL(mdm_cuda_loss);
MDM_CUDA_PARTIAL(mdm_cuda_mix);
MDM_CUDA_PARTIAL(mdm_cuda_muon);
MDM_CUDA_PARTIAL(mdm_cuda_muon_scratch);
MDM_CUDA_PARTIAL(mdm_cuda_narrow);
MDM_CUDA_PARTIAL(mdm_cuda_noising);
MDM_CUDA_PARTIAL(mdm_cuda_normal);
MDM_CUDA_PARTIAL(mdm_cuda_product);
MDM_CUDA_PARTIAL(mdm_cuda_quantile);
MDM_CUDA_PARTIAL(mdm_cuda_solve);
MDM_CUDA_PARTIAL(mdm_cuda_sum_squares);
MDM_CUDA_PARTIAL(mdm_cuda_unpatchify);

#endif

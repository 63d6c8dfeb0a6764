/* SPDX-License-Identifier: BSD-2-Clause
 *
 * attention_group backward: what its kernels have in common, three warpgroups and how their tiles are filled.
 */
#ifndef MASKDM_BACKEND_CUDA_ATTENTION_GROUP_STAGE_CUH
#define MASKDM_BACKEND_CUDA_ATTENTION_GROUP_STAGE_CUH

#include "backend/cuda/attention_group_backward.cuh"

enum {
    MDM_BACK_GROUPS = 3,
    MDM_BACK_THREADS = MDM_BACK_GROUPS * MDM_GROUP_THREADS,
    MDM_BACK_WARPS = MDM_BACK_THREADS / MDM_WARP
};

#if MDM_HAS_GROUPS

/* Begins to copy both operands of queries or of keys from row `from` on, `there` and up to `count` zeros, and pairs.
 */
template <int QUERIES>
static __device__ __forceinline__ void mdm_copy_stage(const mdm_stage &t, const mdm_attention &a,
                                                      const mdm_attention_head<mdm_bf16> &h, int64_t index, int from,
                                                      int there, int count)
{
    const mdm_team team = {MDM_BACK_WARPS, 0, (int)threadIdx.x};
    const int width = (int)a.width, pairs = mdm_whole_rows(there);
    const float2 *pair = a.pair + index * mdm_whole_rows(a.n) + from;

    mdm_copy_rows<64>(team, t.first, (QUERIES ? h.q : h.k) + from * h.step, h.step, there, count, width);
    if (!QUERIES) {
        mdm_copy_rows<64>(team, t.second, h.v + from * h.step, h.step, there, count, width);
        return;
    }
    mdm_copy_rows<64>(team, t.second, h.dy + from * h.row_step, h.row_step, there, count, width);
    for (int i = threadIdx.x; i < count / 2; i += MDM_BACK_THREADS)
        if (2 * i < pairs)
            mdm_copy_pack(t.pair + 2 * i, pair + 2 * i, 1);
        else
            t.pair[2 * i] = t.pair[2 * i + 1] = {INFINITY, 0.0f};
}

#endif
#endif

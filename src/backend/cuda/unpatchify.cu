/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Patches put back into images: each value of an image is fetched from where it stands in the prediction.
 */
#include "backend/cuda/table.cuh"
#include "backend/cuda/values.cuh"

#include <limits.h>

enum { BLOCK = 256 };

/* N values from i on of image b, which lie in a row of a patch; I tells places in an image. */
template <int N, class I> static __global__ void unpatchify(const struct mdm_unpatchify j, int64_t blocks)
{
    const int64_t b = blockIdx.x / blocks, at = (blockIdx.x % blocks * BLOCK + threadIdx.x) * N;
    const I channels = (I)j.channels, width = (I)j.width, p = (I)j.patch, outputs = (I)j.outputs;
    const I pixel = (I)at / channels, channel = (I)at % channels, y = pixel / width, x = pixel % width;
    const I place = ((y / p * (width / p) + x / p) * p + y % p) * p + x % p;
    float v[N];

    if (at >= j.height * j.width * j.channels)
        return;
    mdm_take<N>(v, j.pred + b * j.beside.pred + (int64_t)(place * outputs + channel));
    mdm_leave<N>(j.image + (b * j.height * j.width + (int64_t)pixel) * j.beside.channels + (int64_t)channel, v);
}

static int is_wide(const struct mdm_unpatchify *j)
{
    return j->outputs == j->channels && j->channels == j->beside.channels && j->patch * j->channels % 4 == 0 &&
           j->beside.pred % 4 == 0 && mdm_cuda_aligned(j->pred, j->image);
}

int mdm_cuda_unpatchify(struct mdm_backend *b, const struct mdm_unpatchify *job)
{
    struct mdm_unpatchify j = *job;
    const int64_t values = j.height * j.width * j.channels, most = j.height * j.width * j.outputs;
    int64_t blocks;
    int wide;

    j.beside.channels = j.beside.channels ? j.beside.channels : j.channels;
    j.beside.pred = j.beside.pred ? j.beside.pred : most;
    wide = most <= INT32_MAX && is_wide(&j);
    blocks = mdm_cuda_pieces(values, wide ? 4 * BLOCK : BLOCK);
    return mdm_cuda_launch(mdm_cuda_of(b), "patches put back",
                           wide                ? unpatchify<4, uint32_t>
                           : most <= INT32_MAX ? unpatchify<1, uint32_t>
                                               : unpatchify<1, uint64_t>,
                           dim3((unsigned)(j.batch * blocks)), BLOCK, 0, j, blocks);
}

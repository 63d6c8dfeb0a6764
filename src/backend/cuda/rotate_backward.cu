/* SPDX-License-Identifier: BSD-2-Clause
 *
 * qk_rotate backward. The rows are cut into parts, whose sums of dq and dk lie in scratch until they are met in
 * order.
 */
#include "backend/cuda/rotate.cuh"

enum { BLOCK = MDM_ROTATE_BLOCK };

/* One head's gradient. What it adds to that of w goes to `sum`, whose columns are this lane's own. */
template <class T, int P>
static __device__ __forceinline__ void unrotate_head(const mdm_rotate_job<T> &j, int64_t item, int kind, int there,
                                                     float *sum)
{
    const int64_t at = threadIdx.x % j.lanes * P, next = (int64_t)j.lanes * P, row = item / (3 * j.heads);
    const T *x = j.qkv + item * j.width, *dy = j.dy + item * j.width,
            *w = there && kind < MDM_VALUE ? j.w[kind] : NULL;
    const float *angles = there && kind < MDM_VALUE ? mdm_rotate_angles(j, row) : NULL;
    const float r = w ? j.r[row * 2 * j.heads + item % (3 * j.heads)] : 1.0f;
    float average = 0;

    for (int64_t c = at; w && c < j.width; c += next) {
        float h[P], g[P], f[P];

        mdm_rotate_load<T, P>(h, x + c);
        mdm_rotate_load<T, P>(g, dy + c);
        mdm_rotate_load<T, P>(f, w + c);
        if (angles)
            mdm_rotate_turn<P>(g, angles, c, j.width, -1);
#pragma unroll
        for (int i = 0; i < P; i++) {
            average = fmaf(f[i] * g[i], h[i] * r, average);
            sum[c + i] = fmaf(g[i], h[i] * r, sum[c + i]);
        }
    }
    average = mdm_rotate_sum(average, j.lanes) / (float)j.width;
    for (int64_t c = at; there && j.dqkv && c < j.width; c += next) {
        float h[P], g[P], f[P];

        mdm_rotate_load<T, P>(g, dy + c);
        if (angles)
            mdm_rotate_turn<P>(g, angles, c, j.width, -1);
        if (w) {
            mdm_rotate_load<T, P>(h, x + c);
            mdm_rotate_load<T, P>(f, w + c);
#pragma unroll
            for (int i = 0; i < P; i++)
                g[i] = r * (f[i] * g[i] - h[i] * r * average);
        }
        mdm_rotate_store<T, P>(j.dqkv + item * j.width + c, g, j.add);
    }
}

/* Part x of the rows; y: of q, k or v. */
template <class T, int P> static __global__ void __launch_bounds__(BLOCK) unrotate(mdm_rotate_job<T> j)
{
    MDM_CUDA_SHARED(float, sums); /* [groups,D/h] */
    const int group = threadIdx.x / j.lanes, groups = blockDim.x / j.lanes, kind = blockIdx.y;
    const int64_t from = blockIdx.x * j.part_rows, rest = j.rows - from;
    const int64_t items = (rest < j.part_rows ? rest : j.part_rows) * j.heads;

    for (int64_t i = threadIdx.x; i < groups * j.width; i += blockDim.x)
        sums[i] = 0;
    __syncthreads();
    for (int64_t first = 0; first < items; first += groups) {
        const int64_t i = first + group, row = from + i / j.heads;

        unrotate_head<T, P>(j, row * 3 * j.heads + kind * j.heads + i % j.heads, kind, i < items,
                            sums + group * j.width);
    }
    if (kind == MDM_VALUE || !j.wanted[kind])
        return;
    __syncthreads();
    for (int64_t c = threadIdx.x; c < j.width; c += blockDim.x) {
        float sum = 0;

        for (int g = 0; g < groups; g++)
            sum += sums[g * j.width + c];
        j.part[(blockIdx.x * 2 + kind) * j.width + c] = sum;
    }
}

enum { SLICES = BLOCK / MDM_WARP };

/* Each warp sums every SLICES-th part of 32 columns, and the first one what they have. */
static __global__ void meet(float *dw, const float *part, int64_t parts, int64_t width, int add)
{
    __shared__ float sums[SLICES][MDM_WARP];
    const int slice = threadIdx.x / MDM_WARP, lane = threadIdx.x % MDM_WARP;
    const int64_t c = (int64_t)blockIdx.x * MDM_WARP + lane;
    float sum = 0;

    if (c < width)
#pragma unroll 8
        for (int64_t i = slice; i < parts; i += SLICES)
            sum += part[i * 2 * width + c];
    sums[slice][lane] = sum;
    __syncthreads();
    if (slice > 0 || c >= width)
        return;
    for (int i = 1; i < SLICES; i++)
        sum += sums[i][lane];
    mdm_put(dw + c, sum, add);
}

/* What no gradient comes from gets zeros, where it is not summed onto. */
static int clear(struct mdm_cuda *d, const struct mdm_call *c, size_t size)
{
    for (int i = 0; i < 4; i++)
        if (c->din[i] && !c->add[i])
            MDM_CUDA_TRY(mdm_cuda_check(
                d,
                cudaMemsetAsync(c->din[i], 0,
                                (size_t)mdm_cuda_numel(c->in_shape[i]) * (i == 0 ? size : sizeof(float)), d->stream),
                "qk_rotate"));
    return MASKDM_OK;
}

/* Threads of a block of backward: fewer where a head is so wide that their sums do not fit. */
static unsigned choose_block(int64_t width, int lanes)
{
    unsigned block = BLOCK;

    while (block > MDM_WARP && block / lanes * (size_t)width * sizeof(float) > 48 << 10)
        block /= 2;
    return block;
}

template <class T, int P> static int rotate_backward(struct mdm_backend *b, const struct mdm_call *c)
{
    struct mdm_cuda *d = mdm_cuda_of(b);
    const mdm_rotate_job<T> j = mdm_rotate_read<T>(c, P);
    const int64_t parts = mdm_cuda_pieces(j.rows, j.part_rows);
    const unsigned block = choose_block(j.width, j.lanes);

    if (!j.dy)
        return clear(d, c, sizeof(T));
    MDM_CUDA_TRY(mdm_cuda_launch(d, "qk_rotate", unrotate<T, P>, dim3((unsigned)parts, 3), block,
                                 block / j.lanes * (size_t)j.width * sizeof(float), j));
    for (int i = 0; i < 2; i++)
        if (c->din[1 + i])
            MDM_CUDA_TRY(mdm_cuda_launch(d, "qk_rotate", meet, dim3((unsigned)mdm_cuda_pieces(j.width, MDM_WARP)),
                                         BLOCK, 0, (float *)c->din[1 + i], j.part + i * j.width, parts, j.width,
                                         c->add[1 + i]));
    return MASKDM_OK;
}

size_t mdm_rotate_scratch(const struct mdm_backend *, const struct mdm_call *c, int train)
{
    const int64_t rows = mdm_cuda_rows(c->in_shape[0]);

    return train
               ? (size_t)(mdm_cuda_pieces(rows, mdm_cuda_pieces(rows, MDM_ROTATE_PARTS)) * 2 * c->in_shape[3]->d[2]) *
                     sizeof(float)
               : 0;
}

template <class T> static int backward_by_width(struct mdm_backend *b, const struct mdm_call *c)
{
    const int64_t width = c->in_shape[3]->d[2];

    if (width % mdm_pack<T>::N == 0)
        return rotate_backward<T, mdm_pack<T>::N>(b, c);
    return width % 4 ? rotate_backward<T, 2>(b, c) : rotate_backward<T, 4>(b, c);
}

int mdm_rotate_backward(struct mdm_backend *b, const struct mdm_call *c)
{
    return c->dtype == MDM_BF16 ? backward_by_width<mdm_bf16>(b, c) : backward_by_width<float>(b, c);
}

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The optimizer's passes over a parameter block: AdamW with the moving average, the average alone, the gradient norm.
 */
#include "backend/cuda/table.cuh"
#include "backend/cuda/values.cuh"

#include <math.h>

enum { BLOCK = 256 };

/* What the pass needs of struct mdm_optimizer, rounded as the CPU rounds it. */
struct rates {
    float scale, keep, step, b1, b2, c1, c2, root, eps, pull;
    int mode;
};

/* Rounded after each operation, as the CPU's portable build does: left to itself the compiler fuses other pairs of
 * them for each width of N, and a value's bits would be a matter of its address. */
static __device__ __forceinline__ float plus(float a, float b)
{
    return __fadd_rn(a, b);
}
static __device__ __forceinline__ float times(float a, float b)
{
    return __fmul_rn(a, b);
}

static __device__ __forceinline__ float moved(float ema, float w, float pull)
{
    return plus(ema, times(pull, __fsub_rn(w, ema)));
}

template <int N>
static __global__ void adamw(float *w_, float *g_, float *m_, float *v_, float *ema_, int64_t n, const struct rates a)
{
    const int64_t i = ((int64_t)blockIdx.x * blockDim.x + threadIdx.x) * N;
    float w[N], g[N], m[N], v[N], ema[N] = {};

    if (i >= n)
        return;
    mdm_take<N>(g, g_ + i);
    mdm_take<N>(m, m_ + i);
    mdm_take<N>(v, v_ + i);
    mdm_take<N>(w, w_ + i);
    if (a.mode == 2)
        mdm_take<N>(ema, ema_ + i);
#pragma unroll
    for (int k = 0; k < N; k++) {
        const float x = times(g[k], a.scale);

        m[k] = plus(times(a.b1, m[k]), times(a.c1, x));
        v[k] = plus(times(a.b2, v[k]), times(times(a.c2, x), x));
        w[k] = __fsub_rn(times(w[k], a.keep),
                         __fdiv_rn(times(a.step, m[k]), plus(times(__fsqrt_rn(v[k]), a.root), a.eps)));
        g[k] = 0;
        ema[k] = a.mode == 2 ? moved(ema[k], w[k], a.pull) : w[k];
    }
    mdm_leave<N>(w_ + i, w);
    mdm_leave<N>(m_ + i, m);
    mdm_leave<N>(v_ + i, v);
    mdm_leave<N>(g_ + i, g);
    if (a.mode)
        mdm_leave<N>(ema_ + i, ema);
}

/* Two launches where n is not a multiple of 4: what is left at the end goes one by one. */
static int64_t wide_part(int64_t n, int aligned)
{
    return aligned ? n / 4 * 4 : 0;
}

static dim3 blocks(int64_t threads)
{
    return dim3((unsigned)mdm_cuda_pieces(threads, BLOCK));
}

int mdm_cuda_adamw(struct mdm_backend *b, const struct mdm_optimizer *j)
{
    struct mdm_cuda *d = mdm_cuda_of(b);
    const int64_t n = (int64_t)j->n, most = wide_part(n, mdm_cuda_aligned(j->w, j->g, j->m, j->v, j->ema));
    struct rates a = {};

    a.scale = (float)j->grad_scale;
    a.keep = (float)(1 - j->lr * j->weight_decay);
    a.step = (float)(j->lr / j->bias1);
    a.b1 = (float)j->beta1;
    a.b2 = (float)j->beta2;
    a.c1 = (float)(1 - j->beta1);
    a.c2 = (float)(1 - j->beta2);
    a.root = (float)(1 / sqrt(j->bias2));
    a.eps = (float)j->eps;
    a.pull = (float)(1 - j->ema_decay);
    a.mode = j->ema ? j->ema_mode : 0;
    MDM_CUDA_TRY(
        mdm_cuda_launch(d, "adamw", adamw<4>, blocks(most / 4), BLOCK, 0, j->w, j->g, j->m, j->v, j->ema, most, a));
    return mdm_cuda_launch(d, "adamw", adamw<1>, blocks(n - most), BLOCK, 0, j->w + most, j->g + most, j->m + most,
                           j->v + most, j->ema ? j->ema + most : NULL, n - most, a);
}

template <int N> static __global__ void average(float *ema, const float *w, int64_t n, float pull)
{
    const int64_t i = ((int64_t)blockIdx.x * blockDim.x + threadIdx.x) * N;
    float e[N], x[N];

    if (i >= n)
        return;
    mdm_take<N>(e, ema + i);
    mdm_take<N>(x, w + i);
#pragma unroll
    for (int k = 0; k < N; k++)
        e[k] = moved(e[k], x[k], pull);
    mdm_leave<N>(ema + i, e);
}

int mdm_cuda_ema(struct mdm_backend *b, float *ema, const float *w, size_t n, int mode, double decay)
{
    struct mdm_cuda *d = mdm_cuda_of(b);
    const int64_t most = wide_part((int64_t)n, mdm_cuda_aligned(ema, w)), rest = (int64_t)n - most;
    const float pull = (float)(1 - decay);

    if (mode == 1)
        return mdm_cuda_check(d, cudaMemcpyAsync(ema, w, n * sizeof *ema, cudaMemcpyDeviceToDevice, d->stream),
                              "the average");
    if (mode != 2)
        return MASKDM_OK;
    MDM_CUDA_TRY(mdm_cuda_launch(d, "the average", average<4>, blocks(most / 4), BLOCK, 0, ema, w, most, pull));
    return mdm_cuda_launch(d, "the average", average<1>, blocks(rest), BLOCK, 0, ema + most, w + most, rest, pull);
}

/* ---- sums: each thread's, then the warp's, the block's, and those of the blocks, which are cut by n alone ---- */

enum { PARTS = 1024, WIDE = 4, LEAST = WIDE * BLOCK }; /* the most parts; values of each are a multiple of LEAST */

/* The sum over a block, in its first thread. */
static __device__ double block_sum(double x)
{
    __shared__ double room[BLOCK / MDM_WARP];
    const int warp = threadIdx.x / MDM_WARP, lane = threadIdx.x % MDM_WARP;

#pragma unroll
    for (int i = MDM_WARP / 2; i > 0; i /= 2)
        x += __shfl_xor_sync(0xffffffffu, x, i);
    if (lane == 0)
        room[warp] = x;
    __syncthreads();
    x = 0;
    for (int i = 0; threadIdx.x == 0 && i < BLOCK / MDM_WARP; i++)
        x += room[i];
    return x;
}

template <int N> static __global__ void sum_squares(double *part, const float *x, int64_t n, int64_t step)
{
    const int64_t from = blockIdx.x * step, to = from + step < n ? from + step : n, whole = to - to % WIDE;
    double sum[WIDE] = {};

#pragma unroll 4
    for (int64_t i = from + threadIdx.x * WIDE; i < whole; i += LEAST) {
        float v[WIDE];

#pragma unroll
        for (int k = 0; k < WIDE; k += N)
            mdm_take<N>(v + k, x + i + k);
#pragma unroll
        for (int k = 0; k < WIDE; k++)
            sum[k] = fma((double)v[k], (double)v[k], sum[k]);
    }
    if (whole + threadIdx.x < to) {
        const double last = (double)x[whole + threadIdx.x];

        sum[0] = fma(last, last, sum[0]);
    }
    sum[0] = block_sum((sum[0] + sum[1]) + (sum[2] + sum[3]));
    if (threadIdx.x == 0)
        part[blockIdx.x] = sum[0];
}

static __global__ void add_parts(double *out, const double *part, int parts)
{
    double sum = 0;

    for (int i = threadIdx.x; i < parts; i += BLOCK)
        sum += part[i];
    sum = block_sum(sum);
    if (threadIdx.x == 0)
        *out = sum;
}

int mdm_cuda_sum_squares(struct mdm_backend *b, double *out, const float *x, size_t count)
{
    struct mdm_cuda *d = mdm_cuda_of(b);
    const int64_t n = (int64_t)count;
    int64_t step = mdm_cuda_pieces(mdm_cuda_pieces(n, PARTS), LEAST) * LEAST, parts = 0;
    void *room;
    double *part;

    MDM_CUDA_TRY(mdm_cuda_scratch(d, 0, (PARTS + 1) * sizeof *part, &room));
    part = (double *)room;
    if (n)
        parts = mdm_cuda_pieces(n, step);
    MDM_CUDA_TRY(mdm_cuda_launch(d, "the sum of squares", mdm_cuda_aligned(x) ? sum_squares<4> : sum_squares<1>,
                                 dim3((unsigned)parts), BLOCK, 0, part + 1, x, n, step));
    MDM_CUDA_TRY(mdm_cuda_launch(d, "the sum of squares", add_parts, 1, BLOCK, 0, part, part + 1, parts));
    return mdm_cuda_fetch(d, out, part, sizeof *out);
}

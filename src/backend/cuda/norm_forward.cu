/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Norms of rows, forward: a row is read once and stays in registers; its mean comes first, then what is about it.
 */
#include "backend/cuda/norm.cuh"

enum { BLOCK = 256 };

/* x, or with SUM x + r as the program's type has it, which becomes the sum. Zeros stand where a row has ended, or
 * where there is no r. */
template <class T, class S, int SUM>
static __device__ __forceinline__ void load_row(float *x, const struct mdm_cuda_norm &j, int64_t begin)
{
    mdm_pack<T> first[S::PACKS], second[S::PACKS];

#pragma unroll
    for (int p = 0; p < S::PACKS; p++) {
        first[p] = mdm_pack_or_zeros((const T *)j.x, begin + S::column(p), S::has(j, p));
        if (SUM)
            second[p] = mdm_pack_or_zeros((const T *)j.r, begin + S::column(p), j.r && S::has(j, p));
    }
#pragma unroll
    for (int p = 0; SUM && p < S::PACKS; p++) {
#pragma unroll
        for (int i = 0; i < S::N; i++)
            first[p].v[i] = mdm_round<T>(mdm_float(first[p].v[i]) + mdm_float(second[p].v[i]));
        if (j.sum && S::has(j, p))
            *(mdm_pack<T> *)((T *)j.sum + begin + S::column(p)) = first[p];
    }
#pragma unroll
    for (int k = 0; k < S::VALUES; k++)
        x[k] = mdm_float(first[k / S::N].v[k % S::N]);
}

template <class T, class S>
static __device__ __forceinline__ void store_row(float *x, const struct mdm_cuda_norm &j, int64_t row, float mean,
                                                 float rstd)
{
    const T *m = j.m ? (const T *)j.m + row / j.tokens * j.width : NULL;

#pragma unroll
    for (int p = 0; p < S::PACKS; p++) {
        const int column = S::column(p);
        float *v = x + p * S::N, w[S::N], b[S::N];
        if (!S::has(j, p))
            break;
        mdm_load_or(w, (const T *)j.w, column, 1.0f);
        mdm_load_or(b, (const T *)j.b, column, 0.0f);
#pragma unroll
        for (int i = 0; i < S::N; i++)
            v[i] = fmaf((v[i] - mean) * rstd, w[i], b[i]);
        if (m) {
            mdm_load(w, m + j.scale + column);
            mdm_load(b, m + j.shift + column);
#pragma unroll
            for (int i = 0; i < S::N; i++)
                v[i] = fmaf(v[i], 1.0f + w[i], b[i]);
        }
        mdm_store((T *)j.y + row * S::width(j) + column, v);
    }
}

static __device__ __forceinline__ void keep_stats(const struct mdm_cuda_norm &j, int64_t row, float mean, float rstd)
{
    if (!j.stats)
        return;
    if (j.rms) {
        j.stats[row] = rstd;
    } else {
        j.stats[2 * row] = mean;
        j.stats[2 * row + 1] = rstd;
    }
}

template <class T, int Q, int WARPS, int FULL, int SUM>
static __global__ void __launch_bounds__(BLOCK) norm_rows(const struct mdm_cuda_norm j)
{
    typedef mdm_norm_shape<T, Q, WARPS, FULL> S;
    __shared__ float room[MDM_WARP];
    const int teams = blockDim.x / S::TEAM;
    const int64_t rows = j.images * j.tokens;

    for (int64_t i = (int64_t)blockIdx.x * teams + threadIdx.x / S::TEAM; i < rows; i += (int64_t)gridDim.x * teams) {
        float x[S::VALUES], mean = 0.0f, var = 0.0f, rstd;

        load_row<T, S, SUM>(x, j, i * S::width(j));
        if (!j.rms) {
#pragma unroll
            for (int k = 0; k < S::VALUES; k++)
                mean += x[k];
            mean = mdm_norm_sum<WARPS>(mean, room) * j.over;
        }
#pragma unroll
        for (int k = 0; k < S::VALUES; k++)
            if (S::has(j, k / S::N))
                var += (x[k] - mean) * (x[k] - mean);
        rstd = rsqrtf(mdm_norm_sum<WARPS>(var, room) * j.over + j.epsilon);
        if (S::column(0) == 0)
            keep_stats(j, i, mean, rstd);
        store_row<T, S>(x, j, i, mean, rstd);
    }
}

/* ---- rows of any length: a warp reads one again and again ---- */

template <class T> static __device__ float value(const struct mdm_cuda_norm &j, int64_t at)
{
    const float x = mdm_float(((const T *)j.x)[at]);

    return j.r ? mdm_float(mdm_round<T>(x + mdm_float(((const T *)j.r)[at]))) : x;
}

template <class T> static __device__ void bend_row(const struct mdm_cuda_norm &j, int64_t row, float mean, float rstd)
{
    const T *w = (const T *)j.w, *b = (const T *)j.b;
    const T *m = j.m ? (const T *)j.m + row / j.tokens * j.width : NULL;

    for (int64_t k = threadIdx.x % MDM_WARP; k < j.d; k += MDM_WARP) {
        float y = (value<T>(j, row * j.d + k) - mean) * rstd;

        y = fmaf(y, w ? mdm_float(w[k]) : 1.0f, b ? mdm_float(b[k]) : 0.0f);
        if (m)
            y = fmaf(y, 1.0f + mdm_float(m[j.scale + k]), mdm_float(m[j.shift + k]));
        ((T *)j.y)[row * j.d + k] = mdm_round<T>(y);
    }
}

template <class T> static __global__ void __launch_bounds__(BLOCK) norm_any(const struct mdm_cuda_norm j)
{
    const int64_t rows = j.images * j.tokens, step = (int64_t)gridDim.x * (BLOCK / MDM_WARP);
    const int lane = threadIdx.x % MDM_WARP;

    for (int64_t i = (int64_t)blockIdx.x * (BLOCK / MDM_WARP) + threadIdx.x / MDM_WARP; i < rows; i += step) {
        float mean = 0.0f, var = 0.0f, rstd;

        for (int64_t k = lane; k < j.d; k += MDM_WARP) {
            const float x = value<T>(j, i * j.d + k);
            mean += x;
            if (j.sum)
                ((T *)j.sum)[i * j.d + k] = mdm_round<T>(x);
        }
        mean = j.rms ? 0.0f : mdm_warp_sum(mean) * j.over;
        for (int64_t k = lane; k < j.d; k += MDM_WARP) {
            const float away = value<T>(j, i * j.d + k) - mean;
            var += away * away;
        }
        rstd = rsqrtf(mdm_warp_sum(var) * j.over + j.epsilon);
        if (lane == 0)
            keep_stats(j, i, mean, rstd);
        bend_row<T>(j, i, mean, rstd);
    }
}

template <class T> static int forward(struct mdm_cuda *d, const struct mdm_cuda_norm *j)
{
    typedef void (*kernel)(const struct mdm_cuda_norm);
    static const kernel any[] = {norm_any<T>, norm_rows<T, 1, 1, 0, 1>, norm_rows<T, 2, 1, 0, 1>,
                                 norm_rows<T, 3, 1, 0, 1>, norm_rows<T, 4, 1, 0, 1>};
    static const kernel full[] = {NULL, norm_rows<T, 1, 1, 1, 0>, norm_rows<T, 2, 1, 1, 0>, norm_rows<T, 3, 1, 1, 0>,
                                  norm_rows<T, 4, 1, 1, 0>};
    static const kernel full_sum[] = {NULL, norm_rows<T, 1, 1, 1, 1>, norm_rows<T, 2, 1, 1, 1>,
                                      norm_rows<T, 3, 1, 1, 1>, norm_rows<T, 4, 1, 1, 1>};
    static const kernel wide[] = {norm_any<T>, NULL, norm_rows<T, 2, MDM_NORM_WARPS, 0, 1>,
                                  norm_rows<T, 4, MDM_NORM_WARPS, 0, 1>, norm_rows<T, 4, MDM_NORM_WARPS, 0, 1>};
    const int64_t most = j->d > MDM_NORM_WARP_ROW ? MDM_NORM_BLOCK_ROW : MDM_NORM_WARP_ROW;
    const int packs = ((uintptr_t)j->sum | (uintptr_t)j->y) % 16 == 0;
    const int quarters = packs ? mdm_cuda_norm_quarters(j, sizeof(T), most) : 0;
    const kernel *const row = most == MDM_NORM_BLOCK_ROW       ? wide
                              : !quarters || j->d % (most / 4) ? any
                              : j->r                           ? full_sum
                                                               : full;
    const int team = row == wide && quarters ? MDM_NORM_WARPS * MDM_WARP : MDM_WARP;
    const int block = team > MDM_WARP ? team : BLOCK;

    return mdm_cuda_launch(d, "a norm", row[quarters], mdm_cuda_grid(d, j->images * j->tokens * team, block), block,
                           0, *j);
}

int mdm_cuda_norm_forward(struct mdm_cuda *d, enum mdm_dtype type, const struct mdm_cuda_norm *j)
{
    return type == MDM_BF16 ? forward<mdm_bf16>(d, j) : forward<float>(d, j);
}

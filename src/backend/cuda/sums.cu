/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Sums of columns, which are the gradients of biases. Rows are cut into pieces by shape alone; a block sums one
 * piece, 16 bytes of a row a thread, and what the pieces gave is met in the order of their numbers.
 */
#include "backend/cuda/kernel.cuh"
#include "backend/cuda/product.cuh"

enum { BLOCK = 256, ACROSS = 64, PIECES = 512, LEAST = 32, LOADS = 4 };
enum { TEAMS = 32 }; /* that share the pieces of a column */

/* Rows of a piece: about PIECES pieces in all, of at least LEAST rows. */
static int64_t piece_rows(int64_t images, int64_t rows)
{
    int64_t step = mdm_cuda_pieces(rows * images, PIECES);

    if (step < LEAST)
        step = LEAST;
    return step < rows ? step : rows;
}

/* Block (piece of an image, columns); `across` threads beside each other take N values of a row each, and the threads
 * below them the rows that follow. */
template <class T, int N>
static __global__ void sum_piece(float *parts, const T *x, int64_t rows, int64_t columns, int64_t pieces,
                                 int64_t step, int across)
{
    __shared__ float room[BLOCK * N];
    const int tall = BLOCK / across, row = threadIdx.x / across, beside = threadIdx.x % across;
    const int64_t column = ((int64_t)blockIdx.y * across + beside) * N, from = blockIdx.x % pieces * step;
    const int64_t to = from + step < rows ? from + step : rows;
    const T *at = x + blockIdx.x / pieces * rows * columns + column;
    float sum[N] = {};

    if (row < tall && column < columns)
        for (int64_t r = from + row; r < to; r += (int64_t)tall * LOADS) {
            float v[LOADS][N] = {};

#pragma unroll
            for (int i = 0; i < LOADS; i++)
                if (r + (int64_t)i * tall < to) {
                    const T *p = at + (r + (int64_t)i * tall) * columns;

                    if constexpr (N > 1)
                        mdm_load(v[i], p);
                    else
                        v[i][0] = mdm_float(*p);
                }
#pragma unroll
            for (int i = 0; i < LOADS; i++)
#pragma unroll
                for (int k = 0; k < N; k++)
                    sum[k] += v[i][k];
        }
#pragma unroll
    for (int k = 0; k < N; k++)
        room[k * BLOCK + threadIdx.x] = sum[k];
    __syncthreads();
    if (row > 0 || column >= columns)
        return;
    parts += (int64_t)blockIdx.x * columns + column;
#pragma unroll
    for (int k = 0; k < N; k++) {
        float all = 0;

        for (int i = 0; i < tall; i++)
            all += room[k * BLOCK + i * across + beside];
        parts[k] = all;
    }
}

/* Block (image, columns) of MDM_WARP columns and TEAMS warps, each of which takes every TEAMS-th of the image's
 * pieces. */
template <class T> static __global__ void meet(T *out, const float *parts, int64_t pieces, int64_t columns, int add)
{
    __shared__ float room[TEAMS][MDM_WARP + 1];
    const int lane = threadIdx.x % MDM_WARP, team = threadIdx.x / MDM_WARP;
    const int64_t column = (int64_t)blockIdx.y * MDM_WARP + lane;
    float sum = 0;

    parts += (int64_t)blockIdx.x * pieces * columns + column;
    if (column < columns)
#pragma unroll 8
        for (int64_t i = team; i < pieces; i += TEAMS)
            sum += parts[i * columns];
    room[team][lane] = sum;
    __syncthreads();
    if (team > 0 || column >= columns)
        return;
    sum = 0;
    for (int i = 0; i < TEAMS; i++)
        sum += room[i][lane];
    mdm_put(out + (int64_t)blockIdx.x * columns + column, sum, add);
}

template <class T, int N> static int sum_pieces(struct mdm_cuda *d, const struct mdm_cuda_sums *s, int64_t step)
{
    const int64_t packs = mdm_cuda_pieces(s->columns, N), pieces = mdm_cuda_pieces(s->rows, step);
    const int across = packs < ACROSS ? (int)packs : (int)ACROSS;
    const dim3 grid((unsigned)(s->images * pieces), (unsigned)mdm_cuda_pieces(packs, across));

    return mdm_cuda_launch(d, "sums of columns", sum_piece<T, N>, grid, BLOCK, 0, s->parts, (const T *)s->x, s->rows,
                           s->columns, pieces, step, across);
}

template <class T> static int sums(struct mdm_cuda *d, const struct mdm_cuda_sums *s)
{
    const int pack = mdm_pack<T>::N;
    const int64_t step = piece_rows(s->images, s->rows), pieces = mdm_cuda_pieces(s->rows, step);
    const unsigned beside = (unsigned)mdm_cuda_pieces(s->columns, MDM_WARP);

    if (s->columns % pack == 0 && (uintptr_t)s->x % 16 == 0)
        MDM_CUDA_TRY((sum_pieces<T, pack>(d, s, step)));
    else
        MDM_CUDA_TRY((sum_pieces<T, 1>(d, s, step)));
    if (s->all)
        MDM_CUDA_TRY(mdm_cuda_launch(d, "sums of columns", meet<float>, dim3(1, beside), TEAMS * MDM_WARP, 0, s->all,
                                     s->parts, s->images * pieces, s->columns, s->add_all));
    if (s->each)
        MDM_CUDA_TRY(mdm_cuda_launch(d, "sums of columns", meet<T>, dim3((unsigned)s->images, beside),
                                     TEAMS * MDM_WARP, 0, (T *)s->each, s->parts, pieces, s->columns, s->add_each));
    return MASKDM_OK;
}

size_t mdm_cuda_sums_scratch(int64_t images, int64_t rows, int64_t columns)
{
    return (size_t)(images * mdm_cuda_pieces(rows, piece_rows(images, rows)) * columns) * sizeof(float);
}

int mdm_cuda_sums(struct mdm_cuda *d, const struct mdm_cuda_sums *s)
{
    return s->type == MDM_BF16 ? sums<mdm_bf16>(d, s) : sums<float>(d, s);
}

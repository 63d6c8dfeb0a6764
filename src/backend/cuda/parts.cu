/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The second half of sums over rows, and gradients that are zeros or another value's.
 */
#include "backend/cuda/each.cuh"
#include "backend/cuda/parts.cuh"

enum { BLOCK = 256, COLUMNS = 32 };

/* The threads of a column have come with their shares: their sum in order, in the first of them. */
static __device__ double column_sum(double x, double *room)
{
    room[threadIdx.y * blockDim.x + threadIdx.x] = x;
    __syncthreads();
    if (threadIdx.y == 0)
        for (unsigned w = 1; w < blockDim.y; w++)
            x += room[w * blockDim.x + threadIdx.x];
    return x;
}

/* Parts [*from, *to) are this thread's share of `count`. */
static __device__ void share(int64_t count, int64_t *from, int64_t *to)
{
    const int64_t many = (count + blockDim.y - 1) / blockDim.y;

    *from = many * threadIdx.y;
    *to = *from + many < count ? *from + many : count;
}

/* ---- over all images ---- */

template <class T> static __global__ void __launch_bounds__(BLOCK) meet(const struct mdm_cuda_meet j)
{
    __shared__ double room[BLOCK];
    const int64_t column = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
    const int k = blockIdx.y;
    const T *factor = k == 0 ? (const T *)j.factor : NULL;
    float *dst = k ? j.dst[1] : j.dst[0];
    double sum = 0;
    int64_t from, to;

    if (!dst)
        return;
    share(j.parts.images * j.parts.each, &from, &to);
    if (column < j.d)
#pragma unroll 8
        for (int64_t p = from; p < to; p++) {
            double x = (double)j.part[(p * j.sums + k) * j.d + column];
            if (factor)
                x *= 1.0 + (double)mdm_float(factor[p / j.parts.each * j.width + column]);
            sum += x;
        }
    sum = column_sum(sum, room);
    if (threadIdx.y == 0 && column < j.d)
        dst[column] = (float)((k ? j.add[1] : j.add[0]) ? (double)dst[column] + sum : sum);
}

int mdm_cuda_meet(struct mdm_cuda *d, enum mdm_dtype type, const struct mdm_cuda_meet *j)
{
    const dim3 grid((unsigned)mdm_cuda_pieces(j->d, COLUMNS), (unsigned)j->sums), block(COLUMNS, BLOCK / COLUMNS);

    if (type == MDM_BF16)
        return mdm_cuda_launch(d, "sums of rows", meet<mdm_bf16>, grid, block, 0, *j);
    return mdm_cuda_launch(d, "sums of rows", meet<float>, grid, block, 0, *j);
}

/* ---- image by image ---- */

template <class T> static __global__ void __launch_bounds__(BLOCK) meet_images(const struct mdm_cuda_meet_images j)
{
    __shared__ double room[BLOCK];
    const int64_t image = blockIdx.x, at = (int64_t)blockIdx.y * blockDim.x + threadIdx.x;
    double sum = 0;
    int64_t from, to;

    share(j.parts.each, &from, &to);
    for (int k = 0; k < j.sums && at < j.width; k++) {
        const int64_t column = at - (k ? j.column[1] : j.column[0]);
        const double w =
            k == 0 && j.w && column >= 0 && column < j.d ? (double)mdm_float(((const T *)j.w)[column]) : 1;

        if (column < 0 || column >= j.d)
            continue;
#pragma unroll 4
        for (int64_t p = from; p < to; p++)
            sum += w * (double)j.part[((image * j.parts.each + p) * j.sums + k) * j.d + column];
    }
    sum = column_sum(sum, room);
    if (threadIdx.y == 0 && at < j.width)
        mdm_put((T *)j.dm + image * j.width + at, (float)sum, j.add);
}

/* Few parts need few threads to a column. */
int mdm_cuda_meet_images(struct mdm_cuda *d, enum mdm_dtype type, const struct mdm_cuda_meet_images *j)
{
    const unsigned many = j->parts.each < 8 ? 1 : j->parts.each < 32 ? 4 : 8;
    const dim3 block(BLOCK / many, many);
    const dim3 grid((unsigned)j->parts.images, (unsigned)mdm_cuda_pieces(j->width, BLOCK / many));

    if (type == MDM_BF16)
        return mdm_cuda_launch(d, "sums of rows", meet_images<mdm_bf16>, grid, block, 0, *j);
    return mdm_cuda_launch(d, "sums of rows", meet_images<float>, grid, block, 0, *j);
}

/* ---- zeros, and what passes through ---- */

static __global__ void clear(unsigned char *p, size_t bytes)
{
    const size_t packs = bytes / sizeof(uint4), first = (size_t)blockIdx.x * blockDim.x + threadIdx.x;

    for (size_t i = first; i < packs; i += (size_t)gridDim.x * blockDim.x)
        ((uint4 *)p)[i] = make_uint4(0, 0, 0, 0);
    if (first < bytes % sizeof(uint4))
        p[packs * sizeof(uint4) + first] = 0;
}

int mdm_cuda_clear(struct mdm_cuda *d, void *p, size_t bytes)
{
    const dim3 grid = mdm_cuda_grid(d, mdm_cuda_pieces((int64_t)bytes, sizeof(uint4)), BLOCK);

    return mdm_cuda_launch(d, "zeros", clear, grid, BLOCK, 0, (unsigned char *)p, bytes);
}

int mdm_cuda_clear_gradients(struct mdm_cuda *d, const struct mdm_call *c, int first, int last, unsigned floats)
{
    for (int i = first; i <= last; i++) {
        const size_t size = c->dtype == MDM_BF16 && !(floats >> i & 1) ? sizeof(mdm_bf16) : sizeof(float);

        if (c->din[i] && !c->add[i])
            MDM_CUDA_TRY(mdm_cuda_clear(d, c->din[i], (size_t)mdm_cuda_numel(c->in_shape[i]) * size));
    }
    return MASKDM_OK;
}

struct same {
    static __device__ __forceinline__ float f(const float *in)
    {
        return in[0];
    }
};
struct plus {
    static __device__ __forceinline__ float f(const float *in)
    {
        return in[0] + in[1];
    }
};

template <class T> static int pass(struct mdm_cuda *d, void *dst, int add, const void *src, int64_t n)
{
    const mdm_each_in<T, 1> from = {{(const T *)src}};
    const mdm_each_in<T, 2> both = {{(const T *)dst, (const T *)src}};

    if (add)
        return mdm_each<T, plus>(d, "a gradient that passes", (T *)dst, both, n);
    return mdm_each<T, same>(d, "a gradient that passes", (T *)dst, from, n);
}

int mdm_cuda_pass(struct mdm_cuda *d, enum mdm_dtype type, void *dst, int add, const void *src, int64_t n)
{
    return type == MDM_BF16 ? pass<mdm_bf16>(d, dst, add, src, n) : pass<float>(d, dst, add, src, n);
}

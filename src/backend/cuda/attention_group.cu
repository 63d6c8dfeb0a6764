/* SPDX-License-Identifier: BSD-2-Clause
 *
 * attention_group forward of heads that shared memory holds: a block asks for all of a head at once, and its
 * warpgroups share out the units. Two such blocks are on a processor where they fit, of which one waits for memory
 * while the other multiplies. Longer heads are attention_group_long.cu's.
 */
#include "backend/cuda/attention_group_forward.cuh"

#if MDM_HAS_GROUPS

/* Copies come in ARRIVALS batches: one for each of the first tiles, and all else in the last one. */
enum { ARRIVALS = 6 };

template <int LEFT> static __device__ __forceinline__ void wait_for(int left)
{
    if constexpr (LEFT == 0)
        mdm_copy_wait<0>();
    else if (left == LEFT)
        mdm_copy_wait<LEFT>();
    else
        wait_for<LEFT - 1>(left);
}

struct head_source {
    mdm_bf16 *keys, *values;
    int arrived; /* batches */

    __device__ __forceinline__ mdm_bf16 *k(int t) const
    {
        return keys + t * MDM_UNIT;
    }

    __device__ __forceinline__ mdm_bf16 *v(int t) const
    {
        return values + t * MDM_UNIT;
    }

    /* Until `batches` of them are there: all of the block come for each. */
    __device__ __forceinline__ void await(int batches)
    {
#    pragma unroll 1
        for (; arrived < batches; arrived++) {
            wait_for<ARRIVALS - 1>(ARRIVALS - 1 - arrived);
            mdm_group_publish();
            __syncthreads();
        }
    }

    __device__ __forceinline__ void ready(int t)
    {
        await(t + 1 < ARRIVALS ? t + 1 : (int)ARRIVALS);
    }
};

/* Units from `first` on, `slices` apart, of those before `end`. */
template <int THREADS>
static __device__ __forceinline__ void copy_queries(const mdm_mover &m, mdm_bf16 *q,
                                                    const mdm_attention_head<mdm_bf16> &h, int first, int end,
                                                    int slices, int n)
{
#    pragma unroll 1
    for (int u = first; u < end; u += slices)
        mdm_move<THREADS>(m, q + u * MDM_UNIT, h.q + u * MDM_GROUP_ROWS * h.step, n - u * MDM_GROUP_ROWS,
                          MDM_GROUP_ROWS);
}

/* What a block has: units from `slice` on, `slices` apart, and perhaps the rest. */
struct part {
    int slice, slices, whole, rest;
};

template <int GROUPS>
static __device__ __forceinline__ void copy_head(const head_source &s, mdm_bf16 *q, const mdm_attention &job,
                                                 const mdm_attention_head<mdm_bf16> &h, const part &p)
{
    enum { THREADS = GROUPS * MDM_GROUP_THREADS };
    const mdm_mover m = mdm_find_mover(h.step, (int)job.width);
    const int n = (int)job.n, tiles = (n + MDM_TILE - 1) / MDM_TILE, second = p.slice + GROUPS * p.slices;
    int t = 0;

    copy_queries<THREADS>(m, q, h, p.slice, second < p.whole ? second : p.whole, p.slices, n);
#    pragma unroll 1
    for (int batch = 0; batch < ARRIVALS - 1; batch++, t++) {
        if (t < tiles)
            mdm_move_keys<THREADS>(m, s.k(t), s.v(t), h.k + t * MDM_TILE * h.step, job.dim, n - t * MDM_TILE);
        mdm_copy_close();
    }
#    pragma unroll 1
    for (; t < tiles; t++)
        mdm_move_keys<THREADS>(m, s.k(t), s.v(t), h.k + t * MDM_TILE * h.step, job.dim, n - t * MDM_TILE);
    copy_queries<THREADS>(m, q, h, second, p.whole, p.slices, n);
    if (p.rest)
        mdm_move<THREADS>(m, q + p.whole * MDM_UNIT, h.q + p.whole * MDM_GROUP_ROWS * h.step, p.rest, MDM_ROWS);
    mdm_copy_close();
}

/* The rest's rows, when all is there: a warp has every WARPSth 16 keys. */
template <int WARPS>
static __device__ __forceinline__ void attend_rest(const head_source &s, const mdm_bf16 *q, const mdm_attention &job,
                                                   const mdm_attention_head<mdm_bf16> &h, int rows, float scale)
{
    const int warp = threadIdx.x / MDM_WARP;
    mdm_group_state a;

    mdm_group_start(a, q, 0);
#    pragma unroll 1
    for (int row = warp * MDM_ROWS; row < job.n; row += WARPS * MDM_ROWS)
        mdm_rest_attend(a, s.keys + row * 64, s.values + row * 64, (int)job.n - row, scale);
    __syncthreads(); /* nobody reads keys any more */
    mdm_rest_put((float *)s.keys + warp * rows * MDM_SHARE, a, rows);
    __syncthreads();
    mdm_rest_meet((const float *)s.keys, WARPS, rows, job, h);
}

#endif

template <int GROUPS, int BLOCKS>
static __global__ void __launch_bounds__(GROUPS *MDM_GROUP_THREADS, BLOCKS)
    forward(mdm_attention job, int slices, float scale)
{
#if MDM_HAS_GROUPS
    MDM_CUDA_SHARED(mdm_bf16, shared);
    const mdm_units units = mdm_find_units(job.n);
    const int slice = blockIdx.x % slices, index = blockIdx.x / slices, warp = threadIdx.x / MDM_WARP;
    const int rows = mdm_whole_rows(job.n), own = warp % MDM_GROUP_WARPS * MDM_ROWS;
    const part p = {slice, slices, units.whole, slice == slices - 1 ? units.rest : 0};
    mdm_bf16 *const keys = mdm_group_align(shared), *const q = keys + 2 * rows * 64;
    head_source s = {keys, keys + rows * 64, 0};
    mdm_group_state a;

    copy_head<GROUPS>(s, q, job, mdm_attention_find<mdm_bf16>(job, index), p);
#    pragma unroll 1
    for (int u = slice + warp / MDM_GROUP_WARPS * slices; u < units.whole; u += GROUPS * slices) {
        s.ready(0);
        mdm_group_start(a, q + u * MDM_UNIT, own);
        mdm_group_attend(a, s, (int)job.n, scale);
        mdm_group_finish(a, job, mdm_attention_find<mdm_bf16>(job, index), u * MDM_GROUP_ROWS + own,
                         q + u * MDM_UNIT + own * 64);
        s.await(ARRIVALS);
    }
    s.await(ARRIVALS);
    if (p.rest)
        attend_rest<GROUPS * MDM_GROUP_WARPS>(s, q + units.whole * MDM_UNIT, job,
                                              mdm_attention_find<mdm_bf16>(job, index), p.rest, scale);
#endif
}

/* ---- launching ---- */

/* Two blocks of two warpgroups, or one of four, have a processor's registers. */
enum { FEW = 2, MANY = 4, HALF = 113 * 1024, ALL = 227 * 1024 };

static size_t count_bytes(int64_t n)
{
    const int64_t keys = mdm_whole_rows(n), units = (int64_t)mdm_find_units(n).whole * MDM_GROUP_ROWS;

    return (size_t)(2 * keys + (units > keys ? units : keys)) * 64 * sizeof(mdm_bf16) + MDM_GROUP_ALIGN;
}

int mdm_attention_group_takes(const mdm_attention *a)
{
    return a->width % 8 == 0 && a->width > 32 && a->width <= 64 && a->n > MDM_GROUP_LEAST;
}

/* 9.0 alone has these products; the build may have left it out. */
int mdm_attention_group_here(struct mdm_cuda *d)
{
#if defined(MDM_CUDA_GROUPS) || defined(MDM_CUDA_EMULATED)
    int major = 0, minor = 0;

    MDM_CUDA_TRY(
        mdm_cuda_check(d, cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, d->unit), "attention"));
    MDM_CUDA_TRY(
        mdm_cuda_check(d, cudaDeviceGetAttribute(&minor, cudaDevAttrComputeCapabilityMinor, d->unit), "attention"));
    return major == 9 && minor == 0;
#else
    (void)d;
    return 0;
#endif
}

int mdm_attention_group_allow(struct mdm_cuda *d)
{
    MDM_CUDA_TRY(mdm_cuda_allow_shared(d, "attention", forward<FEW, 2>, HALF));
    MDM_CUDA_TRY(mdm_cuda_allow_shared(d, "attention", forward<MANY, 1>, ALL));
    return mdm_attention_group_long_allow(d);
}

/* A head is one block's where there are many. Where they would leave processors idle, several blocks share out its
 * units, down to one of them each: a unit's sums are the same. */
int mdm_attention_group_forward(struct mdm_cuda *d, const mdm_attention *a)
{
    const mdm_units units = mdm_find_units(a->n);
    const size_t bytes = count_bytes(a->n);
    const int few = bytes <= HALF, most = units.whole + (units.rest > 0);
    const int64_t heads = a->batch * a->heads, places = (few ? 2 : 1) * d->processors / heads;
    const int slices = places < 1 ? 1 : (places < most ? (int)places : most);
    const float scale = (float)(MDM_LOG2_E / sqrt((double)a->width));
    const dim3 grid((unsigned)(heads * slices));

    if (bytes > ALL)
        return mdm_attention_group_long(d, a);
    if (few)
        return mdm_cuda_launch(d, "attention", forward<FEW, 2>, grid, FEW * MDM_GROUP_THREADS, bytes, *a, slices,
                               scale);
    return mdm_cuda_launch(d, "attention", forward<MANY, 1>, grid, MANY * MDM_GROUP_THREADS, bytes, *a, slices,
                           scale);
}

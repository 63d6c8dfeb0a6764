/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Quantiles of images, a block for each. A double that is not negative orders as its bits do, so a value of given
 * rank is found by digits, from the highest: what has the digits known so far is counted by the next, again and again
 * over the image, until one value is left or all digits are known.
 */
#include "backend/cuda/kernel.cuh"
#include "backend/cuda/table.cuh"

enum { BLOCK = 1024, WARPS = BLOCK / MDM_WARP, DIGIT = 11, BUCKETS = 1 << DIGIT, TOP = 52 };

struct shared {
    unsigned count[BUCKETS], warp[WARPS];
    unsigned bucket, rank, equal; /* which digit comes next, the rank among those that have it, and their number */
    uint64_t found, least[WARPS];
};

/* |x0| of value i, as bits. */
static __device__ __forceinline__ uint64_t bits_at(const struct mdm_quantile &j, int64_t i)
{
    return (uint64_t)__double_as_longlong(
        fabs(__dadd_rn(__dmul_rn(j.clean_x, (double)j.x[i]), __dmul_rn(j.clean_f, (double)j.f[i]))));
}

static __device__ __forceinline__ double value_of(uint64_t bits)
{
    return __longlong_as_double((long long)bits);
}

/* Sets bucket, rank and equal. A thread has two buckets. */
static __device__ void choose(struct shared *s, unsigned rank)
{
    const int lane = threadIdx.x % MDM_WARP, warp = threadIdx.x / MDM_WARP;
    const unsigned first = s->count[2 * threadIdx.x], second = s->count[2 * threadIdx.x + 1];
    unsigned upto = first + second, before;

#pragma unroll
    for (int i = 1; i < MDM_WARP; i *= 2) {
        const unsigned more = __shfl_up_sync(0xffffffffu, upto, i);

        upto += lane >= i ? more : 0;
    }
    if (lane == MDM_WARP - 1)
        s->warp[warp] = upto;
    __syncthreads();
    for (int i = 0; i < warp; i++)
        upto += s->warp[i];
    before = upto - first - second;
    if (rank >= before && rank < upto) {
        const int is_second = rank - before >= first;

        s->bucket = 2 * threadIdx.x + (unsigned)is_second;
        s->rank = rank - before - (is_second ? first : 0);
        s->equal = is_second ? second : first;
    }
    __syncthreads();
}

static __device__ void count(struct shared *s, const struct mdm_quantile &j, int64_t first, int shift, uint64_t known,
                             uint64_t found)
{
    for (int i = threadIdx.x; i < BUCKETS; i += BLOCK)
        s->count[i] = 0;
    __syncthreads();
#pragma unroll 4
    for (int64_t i = threadIdx.x; i < j.n; i += BLOCK) {
        const uint64_t bits = bits_at(j, first + i);

        if ((bits & known) == found)
            atomicAdd(&s->count[bits >> shift & (BUCKETS - 1)], 1u);
    }
    __syncthreads();
}

/* The value of this rank, counted from 0; in s->rank and s->equal its rank among its equals, and their number. */
static __device__ uint64_t ranked(struct shared *s, const struct mdm_quantile &j, int64_t first, unsigned rank)
{
    uint64_t found = 0, known = 0;

    for (int shift = TOP; known != UINT64_MAX; shift = shift > DIGIT ? shift - DIGIT : 0) {
        const uint64_t digit = (uint64_t)(BUCKETS - 1) << shift;

        count(s, j, first, shift, known, found);
        choose(s, rank);
        found |= (uint64_t)s->bucket << shift;
        known |= digit | (shift == TOP ? UINT64_MAX << TOP : 0);
        rank = s->rank;
        if (s->equal == 1)
            break;
    }
    for (int64_t i = threadIdx.x; s->equal == 1 && i < j.n; i += BLOCK) {
        const uint64_t bits = bits_at(j, first + i);

        if ((bits & known) == found)
            s->found = bits;
    }
    __syncthreads();
    return s->equal == 1 ? s->found : found;
}

/* The least that is above; in the first thread. */
static __device__ uint64_t next_to(struct shared *s, const struct mdm_quantile &j, int64_t first, uint64_t bits)
{
    uint64_t least = UINT64_MAX;

#pragma unroll 4
    for (int64_t i = threadIdx.x; i < j.n; i += BLOCK) {
        const uint64_t at = bits_at(j, first + i);

        least = at > bits && at < least ? at : least;
    }
#pragma unroll
    for (int i = MDM_WARP / 2; i > 0; i /= 2) {
        const uint64_t other = __shfl_xor_sync(0xffffffffu, (unsigned long long)least, i);

        least = other < least ? other : least;
    }
    if (threadIdx.x % MDM_WARP == 0)
        s->least[threadIdx.x / MDM_WARP] = least;
    __syncthreads();
    for (int i = 0; threadIdx.x == 0 && i < WARPS; i++)
        least = s->least[i] < least ? s->least[i] : least;
    return least;
}

static __global__ void __launch_bounds__(BLOCK) find(const struct mdm_quantile j)
{
    __shared__ struct shared s;
    const int64_t first = blockIdx.x * j.n;
    const double place = __dmul_rn(j.share, (double)(j.n - 1)), part = place - floor(place);
    const uint64_t low = ranked(&s, j, first, (unsigned)place);
    uint64_t next = low;

    if (part > 0 && s.rank + 1 >= s.equal)
        next = next_to(&s, j, first, low);
    if (threadIdx.x)
        return;
    j.out[blockIdx.x] = value_of(low);
    if (part > 0)
        j.out[blockIdx.x] = __dadd_rn(value_of(low), __dmul_rn(part, value_of(next) - value_of(low)));
}

int mdm_cuda_quantile(struct mdm_backend *b, const struct mdm_quantile *job)
{
    struct mdm_cuda *d = mdm_cuda_of(b);
    struct mdm_quantile j = *job;
    void *p;

    if (j.n > (int64_t)UINT32_MAX)
        return d->host->record(MASKDM_ENOTSUP, "quantiles of images of %lld values", (long long)j.n);
    MDM_CUDA_TRY(mdm_cuda_scratch(d, 0, (size_t)j.batch * sizeof *j.out, &p));
    j.out = (double *)p;
    MDM_CUDA_TRY(mdm_cuda_launch(d, "quantiles", find, dim3((unsigned)j.batch), BLOCK, 0, j));
    return mdm_cuda_fetch(d, job->out, j.out, (size_t)j.batch * sizeof *j.out);
}

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Sums of images, and a solver's step: each value in double by itself, term by term as the CPU does it, so that the
 * bits are the same but for those of exp().
 */
#include "backend/cuda/kernel.cuh"
#include "backend/cuda/table.cuh"

enum { BLOCK = 256 };

static __device__ __forceinline__ double plus(double a, double b)
{
    return __dadd_rn(a, b);
}
static __device__ __forceinline__ double times(double a, double b)
{
    return __dmul_rn(a, b);
}

static __global__ void mix(const struct mdm_mix j)
{
    const int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
    double y;

    if (i >= j.n || (j.channels && i % j.channels >= j.mixed))
        return;
    y = times(j.a[0], (double)j.x[0][i]);
#pragma unroll
    for (int k = 1; k < MDM_MIX; k++)
        if (k < j.count)
            y = plus(y, times(j.a[k], (double)j.x[k][i]));
    j.y[i] = (float)y;
}

int mdm_cuda_mix(struct mdm_backend *b, const struct mdm_mix *j)
{
    return mdm_cuda_launch(mdm_cuda_of(b), "a sum of images", mix, dim3((unsigned)mdm_cuda_pieces(j->n, BLOCK)),
                           BLOCK, 0, *j);
}

/* What is the same in both sums of the value i. */
struct point {
    double x, x0, eps;
};

static __device__ __forceinline__ double grown(const struct mdm_solve &j, int64_t i)
{
    return j.spread ? exp(plus(j.spread_a, times(j.spread_b, (double)j.spread[i]))) : 1;
}

static __device__ __forceinline__ double sum(const struct mdm_solve &j, const struct mdm_terms &t, int64_t i,
                                             const struct point &p)
{
    double y = plus(times(t.x0, p.x0), times(t.x, p.x));

    if (t.eps != 0)
        y = plus(y, times(t.eps, p.eps));
    if (t.z != 0)
        y = plus(y, times(times(t.z, (double)j.z[i]), grown(j, i)));
#pragma unroll
    for (int k = 0; k < MDM_BEFORE; k++)
        if (t.before[k] != 0)
            y = plus(y, times(t.before[k], (double)j.before[k][i]));
    if (t.start != 0)
        y = plus(y, times(t.start, (double)j.start[i]));
    return y;
}

static __device__ __forceinline__ double between(double value, double low, double high)
{
    return value < low ? low : value > high ? high : value;
}

static __device__ __forceinline__ double clean(const struct mdm_solve &j, int64_t i, double whole)
{
    if (j.within) {
        const struct mdm_range r = j.within[i % j.channels];

        return between(whole, r.low, r.high);
    }
    if (j.limit) {
        const double limit = j.limit[i / j.image];

        return limit == 0 ? whole : __ddiv_rn(between(whole, -limit, limit), limit);
    }
    return j.clip == 0 ? whole : between(whole, -j.clip, j.clip);
}

static __device__ __forceinline__ double noise(const struct mdm_solve &j, double x, double f, double x0)
{
    return j.eps == MDM_EPS_F ? f : __ddiv_rn(plus(x, -times(j.signal, x0)), j.noise);
}

static __global__ void solve(const struct mdm_solve j)
{
    const int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
    struct point p;
    double f, whole, y;

    if (i >= j.n)
        return;
    p.x = (double)j.x[i];
    f = (double)j.f[i];
    whole = plus(times(j.clean_x, p.x), times(j.clean_f, f));
    p.x0 = clean(j, i, whole);
    p.eps = noise(j, p.x, f, j.eps == MDM_EPS_CLIPPED ? p.x0 : whole);
    y = sum(j, j.next, i, p);
    if (j.keeps)
        j.start[i] = (float)sum(j, j.kept, i, p);
    j.x[i] = (float)y;
    if (j.x0)
        j.x0[i] = (float)p.x0;
}

int mdm_cuda_solve(struct mdm_backend *b, const struct mdm_solve *job)
{
    struct mdm_cuda *d = mdm_cuda_of(b);
    struct mdm_solve j = *job;
    void *p;

    if (!j.n)
        return MASKDM_OK;
    if (j.limit) {
        MDM_CUDA_TRY(mdm_cuda_give(d, 0, j.limit, (size_t)mdm_cuda_pieces(j.n, j.image) * sizeof *j.limit, &p));
        j.limit = (const double *)p;
    }
    if (j.within) {
        MDM_CUDA_TRY(mdm_cuda_give(d, 1, j.within, (size_t)j.channels * sizeof *j.within, &p));
        j.within = (const struct mdm_range *)p;
    }
    return mdm_cuda_launch(d, "a solver's step", solve, dim3((unsigned)mdm_cuda_pieces(j.n, BLOCK)), BLOCK, 0, j);
}

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Noise on images: drawing it, to the bits of base/normal.c, and mixing it in, to those of the CPU. Neither may be
 * contracted. What an image needs travels with the launch, so that nothing is copied.
 */
#include "backend/cuda/table.cuh"
#include "backend/cuda/values.cuh"

enum { BLOCK = 256, WORDS = 4 };
constexpr int64_t IMAGES = 128; /* of a launch: their arguments fit 4 KiB */

static __device__ __forceinline__ double plus(double a, double b)
{
    return __dadd_rn(a, b);
}
static __device__ __forceinline__ double times(double a, double b)
{
    return __dmul_rn(a, b);
}

static __device__ __forceinline__ void philox(uint32_t c[WORDS], uint32_t k0, uint32_t k1)
{
#pragma unroll
    for (int round = 0; round < 10; round++) {
        const uint64_t a = (uint64_t)c[0] * 0xd2511f53u, b = (uint64_t)c[2] * 0xcd9e8d57u;

        c[0] = (uint32_t)(b >> 32) ^ c[1] ^ k0;
        c[1] = (uint32_t)b;
        c[2] = (uint32_t)(a >> 32) ^ c[3] ^ k1;
        c[3] = (uint32_t)a;
        k0 += 0x9e3779b9u;
        k1 += 0xbb67ae85u;
    }
}

/* (word + 1/2) / 2^32: these bits behind 1 or, exactly, below it. */
static __device__ __forceinline__ double uniform(uint32_t word)
{
    return plus(__hiloint2double((int)(0x3ff00000u | word >> 12), (int)(word << 20 | 0x80000u)), -1.0);
}

/* A whole number of less than 32 bits, without the conversion, which is slow. */
static __device__ __forceinline__ double whole(int32_t x)
{
    return plus(__hiloint2double(0x43300000, (int)((uint32_t)x ^ 0x80000000u)), -0x1.000008p+52);
}

static __device__ __forceinline__ double logarithm(double x)
{
    uint64_t bits = (uint64_t)__double_as_longlong(x);
    const uint64_t above = bits - 0x3fe6a09e667f3bcdu; /* the bits of sqrt(1/2) */
    double m, s, s2, series;

    bits -= above & 0xfff0000000000000u;
    m = __longlong_as_double((long long)bits);
    s = __ddiv_rn(plus(m, -1.0), plus(m, 1.0));
    s2 = times(s, s);
    series = 1.0 / 13;
    series = plus(times(series, s2), 1.0 / 11);
    series = plus(times(series, s2), 1.0 / 9);
    series = plus(times(series, s2), 1.0 / 7);
    series = plus(times(series, s2), 1.0 / 5);
    series = plus(times(series, s2), 1.0 / 3);
    series = plus(times(series, s2), 1.0);
    return plus(times(0x1.62e42fefa39efp-1, whole((int32_t)(above >> 52 << 20) >> 20)), times(times(2.0, s), series));
}

static __device__ __forceinline__ void sine_cosine(double *sine, double *cosine, uint32_t v)
{
    const uint32_t quarter = (v + 0x20000000u) >> 30;
    const double x = times(whole((int32_t)(v - (quarter << 30))), 0x1.921fb54442d18p+0 * 0x1p-30), x2 = times(x, x);
    double s, c;

    s = 1.0 / 6227020800;
    s = plus(times(s, x2), -1.0 / 39916800);
    s = plus(times(s, x2), 1.0 / 362880);
    s = plus(times(s, x2), -1.0 / 5040);
    s = plus(times(s, x2), 1.0 / 120);
    s = plus(times(s, x2), -1.0 / 6);
    s = times(plus(times(s, x2), 1.0), x);
    c = -1.0 / 87178291200;
    c = plus(times(c, x2), 1.0 / 479001600);
    c = plus(times(c, x2), -1.0 / 3628800);
    c = plus(times(c, x2), 1.0 / 40320);
    c = plus(times(c, x2), -1.0 / 720);
    c = plus(times(c, x2), 1.0 / 24);
    c = plus(times(c, x2), -1.0 / 2);
    c = plus(times(c, x2), 1.0);
    *sine = quarter & 1 ? c : s;
    *cosine = quarter & 1 ? s : c;
    *sine = quarter & 2 ? -*sine : *sine;
    *cosine = (quarter + 1) & 2 ? -*cosine : *cosine;
}

struct stream {
    uint32_t key[2], counter[WORDS - 1]; /* the first word of the counter is the block's number */
};
struct streams {
    struct stream of[IMAGES];
};

/* A thread draws one block of Philox, four deviates; N of them are stored at once. */
template <int N> static __global__ void normal(float *out, int64_t n, const struct streams s)
{
    const int64_t block = (int64_t)blockIdx.x * blockDim.x + threadIdx.x, from = block * WORDS;
    const struct stream *key = &s.of[blockIdx.y];
    uint32_t c[WORDS] = {(uint32_t)block, key->counter[0], key->counter[1], key->counter[2]};
    float z[WORDS];

    if (from >= n)
        return;
    philox(c, key->key[0], key->key[1]);
#pragma unroll
    for (int i = 0; i < WORDS; i += 2) {
        const double radius = __dsqrt_rn(times(-2.0, logarithm(uniform(c[i]))));
        double sine, cosine;

        sine_cosine(&sine, &cosine, c[i + 1]);
        z[i] = (float)times(radius, cosine);
        z[i + 1] = (float)times(radius, sine);
    }
    out += blockIdx.y * n + from;
#pragma unroll
    for (int i = 0; i < WORDS; i += N)
        if (from + i < n)
            mdm_leave<N>(out + i, z + i);
}

static int draw(struct mdm_cuda *d, float *out, int64_t n, const struct streams *s, int64_t images)
{
    const dim3 grid((unsigned)mdm_cuda_pieces(mdm_cuda_pieces(n, WORDS), BLOCK), (unsigned)images);

    return mdm_cuda_launch(d, "normal deviates", n % 4 == 0 && mdm_cuda_aligned(out) ? normal<4> : normal<1>, grid,
                           BLOCK, 0, out, n, *s);
}

int mdm_cuda_normal(struct mdm_backend *b, float *out, int64_t batch, int64_t n, const struct mdm_rng *stream)
{
    for (int64_t at = 0; at < batch; at += IMAGES) {
        const int64_t images = batch - at < IMAGES ? batch - at : IMAGES;
        struct streams s = {};

        for (int64_t i = 0; i < images; i++) {
            const struct mdm_rng *r = &stream[at + i];

            s.of[i] = {{r->key[0], r->key[1]}, {r->counter[1], r->counter[2], r->counter[3]}};
        }
        MDM_CUDA_TRY(draw(mdm_cuda_of(b), out + at * n, n, &s, images));
    }
    return MASKDM_OK;
}

struct factors {
    float signal, noise, x0, eps;
};
struct factors_of {
    struct factors image[IMAGES];
};

template <int N>
static __global__ void noising(float *x_t, float *target, const float *x0, const float *eps, int64_t n,
                               const struct factors_of factors)
{
    const int64_t i = ((int64_t)blockIdx.x * blockDim.x + threadIdx.x) * N, at = blockIdx.y * n + i;
    const struct factors f = factors.image[blockIdx.y];
    float x[N], e[N], y[N];

    if (i >= n)
        return;
    mdm_take<N>(x, x0 + at);
    mdm_take<N>(e, eps + at);
#pragma unroll
    for (int k = 0; k < N; k++)
        y[k] = __fadd_rn(__fmul_rn(f.signal, x[k]), __fmul_rn(f.noise, e[k]));
    mdm_leave<N>(x_t + at, y);
    if (!target)
        return;
#pragma unroll
    for (int k = 0; k < N; k++)
        y[k] = __fadd_rn(__fmul_rn(f.x0, x[k]), __fmul_rn(f.eps, e[k]));
    mdm_leave<N>(target + at, y);
}

int mdm_cuda_noising(struct mdm_backend *b, const struct mdm_noising *j)
{
    const int wide = j->n % 4 == 0 && mdm_cuda_aligned(j->x0, j->eps, j->x_t, j->target);
    const unsigned blocks = (unsigned)mdm_cuda_pieces(j->n, wide ? 4 * BLOCK : BLOCK);

    for (int64_t at = 0; at < j->batch; at += IMAGES) {
        const int64_t images = j->batch - at < IMAGES ? j->batch - at : IMAGES, from = at * j->n;
        struct factors_of f = {};

        for (int64_t i = 0; i < images; i++)
            f.image[i] = {(float)j->signal[at + i], (float)j->noise[at + i],
                          j->target ? (float)j->target_x0[at + i] : 0, j->target ? (float)j->target_eps[at + i] : 0};
        MDM_CUDA_TRY(mdm_cuda_launch(mdm_cuda_of(b), "noising", wide ? noising<4> : noising<1>,
                                     dim3(blocks, (unsigned)images), BLOCK, 0, j->x_t + from,
                                     j->target ? j->target + from : NULL, j->x0 + from, j->eps + from, j->n, f));
    }
    return MASKDM_OK;
}

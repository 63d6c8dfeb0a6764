/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Windows of a convolution side by side, as rows of a product, in pieces that stay in the second-level cache or not
 * far beyond; and weights in the order of windows.
 */
#include "backend/cuda/conv.cuh"
#include "backend/cuda/kernel.cuh"

#ifdef MDM_CUDA_EMULATED
enum { PIECE = 4 << 10 }; /* so that convolutions of tests fall into several */
#else
enum { PIECE = 64 << 20 };
#endif
enum { BLOCK = 256 };

struct mdm_window mdm_conv_windows(const struct mdm_conv *v, const void *x)
{
    struct mdm_window w = {};

    w.x = x;
    w.images = v->images;
    w.height = v->height;
    w.width = v->width;
    w.channels = v->in;
    w.down = v->down;
    w.across = v->across;
    w.stride = v->stride;
    w.top = v->before;
    w.left = v->left;
    w.tall = v->tall;
    w.wide = v->wide;
    return w;
}

struct mdm_pieces mdm_conv_cut(const struct mdm_window *w, size_t size)
{
    const int64_t all = w->down * w->across, fit = (int64_t)(PIECE / ((size_t)mdm_window_size(w) * size));
    const int64_t most = fit > 1 ? fit : 1;

    if (all > most)
        return {1, mdm_cuda_pieces(all, mdm_cuda_pieces(all, most))};
    return {mdm_cuda_pieces(w->images, mdm_cuda_pieces(w->images, most / all)), all};
}

size_t mdm_conv_piece_bytes(const struct mdm_window *w, size_t size)
{
    const struct mdm_pieces p = mdm_conv_cut(w, size);

    return (size_t)(p.images * p.rows * mdm_window_size(w)) * size;
}

/* ---- windows ---- */

/* Numbers within a piece and an image fit 32 bits, and divisions of 32 bits are what this costs. */
struct place {
    int64_t image, line, pixel;   /* elements of x from one to the next */
    uint32_t total, units, packs; /* of N elements: of the piece, of a window, of a pixel */
    uint32_t first, per, across, wide;
    int stride, top, left, height, width;
};

template <class T, int N> struct alignas(N * sizeof(T)) some {
    T v[N];
};

template <class T, int N> static __global__ void gather(some<T, N> *out, const T *x, struct place p)
{
    for (uint32_t i = blockIdx.x * blockDim.x + threadIdx.x; i < p.total; i += gridDim.x * blockDim.x) {
        const uint32_t unit = i % p.units, row = p.first + i / p.units, window = row % p.per, tap = unit / p.packs;
        const int r = (int)(window / p.across) * p.stride - p.top + (int)(tap / p.wide);
        const int c = (int)(window % p.across) * p.stride - p.left + (int)(tap % p.wide);
        some<T, N> v = {};

        if (r >= 0 && r < p.height && c >= 0 && c < p.width)
            v = *(const some<T, N> *)(x + row / p.per * p.image + r * p.line + c * p.pixel + unit % p.packs * N);
        out[i] = v;
    }
}

template <class T, int N> static int gather_packs(struct mdm_cuda *d, T *out, const T *x, struct place p)
{
    p.packs = (uint32_t)(p.pixel / N);
    p.units *= p.packs;
    p.total *= p.units;
    return mdm_cuda_launch(d, "conv", gather<T, N>, mdm_cuda_grid(d, p.total, BLOCK), BLOCK, 0, (some<T, N> *)out, x,
                           p);
}

template <class T>
int mdm_conv_gather(struct mdm_cuda *d, T *out, const struct mdm_window *w, int64_t image, int64_t row, int64_t n)
{
    const T *x = (const T *)w->x + image * w->height * w->width * w->channels;
    struct place p = {};

    p.pixel = w->channels;
    p.line = w->width * w->channels;
    p.image = w->height * p.line;
    p.units = (uint32_t)(w->tall * w->wide);
    p.total = (uint32_t)n;
    p.first = (uint32_t)row;
    p.per = (uint32_t)(w->down * w->across);
    p.across = (uint32_t)w->across;
    p.wide = (uint32_t)w->wide;
    p.stride = (int)w->stride;
    p.top = (int)w->top;
    p.left = (int)w->left;
    p.height = (int)w->height;
    p.width = (int)w->width;
    if (w->channels % mdm_pack<T>::N == 0 && (uintptr_t)x % 16 == 0)
        return gather_packs<T, mdm_pack<T>::N>(d, out, x, p);
    return gather_packs<T, 1>(d, out, x, p);
}

template int mdm_conv_gather<float>(struct mdm_cuda *, float *, const struct mdm_window *, int64_t, int64_t, int64_t);
template int mdm_conv_gather<mdm_bf16>(struct mdm_cuda *, mdm_bf16 *, const struct mdm_window *, int64_t, int64_t,
                                       int64_t);

/* ---- weights ---- */

struct mdm_turn mdm_conv_by_rows(const struct mdm_conv *v)
{
    struct mdm_turn t = {};

    t.out = v->out;
    t.in = v->in;
    t.pixels = v->taps;
    t.by_out = v->taps * v->in;
    t.by_tap = v->in;
    t.taps.tall = v->tall;
    t.taps.wide = v->wide;
    t.taps.down = v->wide;
    t.taps.right = 1;
    return t;
}

template <class T> static __global__ void turn(T *turned, const T *w, struct mdm_turn t, int64_t n)
{
    for (int64_t e = (int64_t)blockIdx.x * blockDim.x + threadIdx.x; e < n; e += (int64_t)gridDim.x * blockDim.x) {
        const int64_t i = e % t.in, tap = e / t.in % (t.taps.tall * t.taps.wide),
                      o = e / t.in / (t.taps.tall * t.taps.wide);
        const int64_t pixel = t.taps.first + tap / t.taps.wide * t.taps.down + tap % t.taps.wide * t.taps.right;

        turned[o * t.by_out + tap * t.by_tap + i] = w[(o * t.in + i) * t.pixels + pixel];
    }
}

static __global__ void turn_back(float *dw, const float *turned, struct mdm_turn t, int add, int64_t n)
{
    for (int64_t e = (int64_t)blockIdx.x * blockDim.x + threadIdx.x; e < n; e += (int64_t)gridDim.x * blockDim.x) {
        const int64_t tap = e % t.pixels, i = e / t.pixels % t.in, o = e / t.pixels / t.in;

        mdm_put(dw + e, turned[o * t.by_out + tap * t.by_tap + i], add);
    }
}

template <class T> int mdm_conv_turn(struct mdm_cuda *d, const struct mdm_turn *t, T *turned, const T *w)
{
    const int64_t n = t->out * t->in * t->taps.tall * t->taps.wide;

    return mdm_cuda_launch(d, "conv", turn<T>, mdm_cuda_grid(d, n, BLOCK), BLOCK, 0, turned, w, *t, n);
}

template int mdm_conv_turn<float>(struct mdm_cuda *, const struct mdm_turn *, float *, const float *);
template int mdm_conv_turn<mdm_bf16>(struct mdm_cuda *, const struct mdm_turn *, mdm_bf16 *, const mdm_bf16 *);

int mdm_conv_turn_back(struct mdm_cuda *d, const struct mdm_turn *t, float *dw, int add, const float *turned)
{
    const int64_t n = t->out * t->in * t->pixels;

    return mdm_cuda_launch(d, "conv", turn_back, mdm_cuda_grid(d, n, BLOCK), BLOCK, 0, dw, turned, *t, add, n);
}

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * conv: y = b + r + the sum of w over a window of x, as products of windows, gathered piece by piece, and w. A 1x1
 * convolution is the product itself. In bf16 the sum is rounded before r, which is an image's own, is added to it.
 */
#include "backend/cuda/conv.cuh"
#include "backend/cuda/kernel.cuh"
#include "backend/cuda/table.cuh"

enum { BLOCK = 256, MOST_IMAGES = 65535 };

/* y[B,pixels,O] += r[B,O], N channels at a time. */
template <class T, int N>
static __global__ void add_images(T *y, const T *r, int64_t images, int64_t pixels, int columns)
{
    const int64_t n = pixels * columns;

    for (int64_t b = blockIdx.y; b < images; b += gridDim.y)
        for (int64_t i = ((int64_t)blockIdx.x * blockDim.x + threadIdx.x) * N; i < n;
             i += (int64_t)gridDim.x * blockDim.x * N) {
            T *at = y + b * n + i;
            const T *add = r + b * columns + i % columns;

            if constexpr (N > 1) {
                float v[N], more[N];

                mdm_load(v, at);
                mdm_load(more, add);
#pragma unroll
                for (int k = 0; k < N; k++)
                    v[k] += more[k];
                mdm_store(at, v);
            } else {
                *at = mdm_round<T>(mdm_float(*at) + mdm_float(*add));
            }
        }
}

template <class T> static int add_rows(struct mdm_cuda *d, const struct mdm_call *c, const struct mdm_conv *v)
{
    const int pack = mdm_pack<T>::N;
    const int64_t pixels = v->down * v->across;
    const int packed = v->out % pack == 0 && ((uintptr_t)c->out[0] | (uintptr_t)c->in[MDM_CONV_R]) % 16 == 0;
    const dim3 grid((unsigned)mdm_cuda_pieces(pixels * v->out, (int64_t)BLOCK * (packed ? pack : 1)),
                    (unsigned)(v->images < MOST_IMAGES ? v->images : (int64_t)MOST_IMAGES));

    return mdm_cuda_launch(d, "conv", packed ? add_images<T, pack> : add_images<T, 1>, grid, BLOCK, 0, (T *)c->out[0],
                           (const T *)c->in[MDM_CONV_R], v->images, pixels, (int)v->out);
}

/* n windows at `a`, whose results begin with row `from` of y. */
template <class T>
static int multiply(struct mdm_cuda *d, const struct mdm_call *c, const struct mdm_conv *v, const void *a,
                    const void *w, int64_t from, int64_t n)
{
    struct mdm_cuda_product p = {};

    p.m = n;
    p.n = v->out;
    p.k = v->taps * v->in;
    p.turn_b = 1;
    p.in = p.out = mdm_type_of<T>();
    p.a = a;
    p.lda = p.ldb = p.k;
    p.b = w;
    p.bias = c->in[MDM_CONV_B];
    p.c = (T *)c->out[0] + from * v->out;
    p.ldc = v->out;
    p.group = c->row_group ? v->down * v->across : 0;
    return mdm_cuda_product(d, &p);
}

template <class T> static size_t turned_bytes(const struct mdm_conv *v)
{
    return v->taps > 1 ? mdm_cuda_align((size_t)(v->out * v->taps * v->in) * sizeof(T)) : 0;
}

template <class T> static int forward(struct mdm_backend *b, const struct mdm_call *c)
{
    struct mdm_cuda *d = mdm_cuda_of(b);
    const struct mdm_conv v = mdm_conv_read(c);
    const struct mdm_window x = mdm_conv_windows(&v, c->in[MDM_CONV_X]);
    const struct mdm_pieces cut = mdm_conv_cut(&x, sizeof(T));
    const struct mdm_turn t = mdm_conv_by_rows(&v);
    const T *w = (const T *)c->in[MDM_CONV_W];
    T *windows = (T *)((unsigned char *)c->scratch + turned_bytes<T>(&v));
    int64_t image = 0, row = 0, n;

    if (v.taps > 1) {
        MDM_CUDA_TRY(mdm_conv_turn(d, &t, (T *)c->scratch, w));
        w = (const T *)c->scratch;
    }
    if (v.plain)
        MDM_CUDA_TRY(multiply<T>(d, c, &v, x.x, w, 0, v.images * v.down * v.across));
    for (; !v.plain && (n = mdm_conv_piece(&x, &cut, image, row)) > 0; mdm_conv_next(&x, &cut, &image, &row)) {
        MDM_CUDA_TRY(mdm_conv_gather(d, windows, &x, image, row, n));
        MDM_CUDA_TRY(multiply<T>(d, c, &v, windows, w, image * v.down * v.across + row, n));
    }
    return c->in[MDM_CONV_R] ? add_rows<T>(d, c, &v) : MASKDM_OK;
}

template <class T> static size_t scratch(const struct mdm_backend *, const struct mdm_call *c, int train)
{
    const struct mdm_conv v = mdm_conv_read(c);
    const struct mdm_window x = mdm_conv_windows(&v, NULL);
    const size_t bytes = turned_bytes<T>(&v) + (v.plain ? 0 : mdm_conv_piece_bytes(&x, sizeof(T)));
    const size_t back = train ? mdm_conv_backward_scratch<T>(c) : 0;

    return back > bytes ? back : bytes;
}

template <class T> static void add_kernel(struct mdm_kernel *k)
{
    k->forward = forward<T>;
    k->backward = mdm_conv_backward<T>;
    k->scratch = scratch<T>;
}

int mdm_cuda_add_conv(struct mdm_cuda *d)
{
    add_kernel<float>(&d->kernel[0][MDM_OP_CONV]);
    add_kernel<mdm_bf16>(&d->kernel[1][MDM_OP_CONV]);
    return MASKDM_OK;
}

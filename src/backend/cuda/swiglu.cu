/* SPDX-License-Identifier: BSD-2-Clause
 *
 * swiglu: y[R,H] = silu of the first half of a row of x[R,2H] times the second.
 */
#include "backend/cuda/columns.cuh"
#include "backend/cuda/curve.cuh"
#include "backend/cuda/table.cuh"

enum { BLOCK = 256 };

struct glu {
    const void *x, *dy;
    void *y; /* or dx */
    int add;
    int64_t rows, h;
};

/* A block's row and its threads' columns go on by as many as there are of them. */
template <class T, int V> static __global__ void __launch_bounds__(BLOCK) join_rows(const struct glu j)
{
    typedef mdm_few<T, V> F;

    for (int64_t row = blockIdx.x; row < j.rows; row += gridDim.x)
        for (int64_t c = ((int64_t)blockIdx.y * blockDim.x + threadIdx.x) * V; c < j.h;
             c += (int64_t)gridDim.y * blockDim.x * V) {
            const F a = *(const F *)((const T *)j.x + row * 2 * j.h + c);
            const F b = *(const F *)((const T *)j.x + row * 2 * j.h + j.h + c);
            F y;
#pragma unroll
            for (int i = 0; i < V; i++)
                y.v[i] = mdm_round<T>(mdm_silu::value(mdm_float(a.v[i])) * mdm_float(b.v[i]));
            *(F *)((T *)j.y + row * j.h + c) = y;
        }
}

template <class T, int V> static __global__ void __launch_bounds__(BLOCK) part_rows(const struct glu j)
{
    typedef mdm_few<T, V> F;

    for (int64_t row = blockIdx.x; row < j.rows; row += gridDim.x)
        for (int64_t c = ((int64_t)blockIdx.y * blockDim.x + threadIdx.x) * V; c < j.h;
             c += (int64_t)gridDim.y * blockDim.x * V) {
            const int64_t at = row * 2 * j.h + c;
            const F a = *(const F *)((const T *)j.x + at), b = *(const F *)((const T *)j.x + at + j.h);
            const F dy = *(const F *)((const T *)j.dy + row * j.h + c);
            F da = {}, db = {};
            if (j.add) {
                da = *(const F *)((const T *)j.y + at);
                db = *(const F *)((const T *)j.y + at + j.h);
            }
#pragma unroll
            for (int i = 0; i < V; i++) {
                const float g = mdm_float(dy.v[i]), x = mdm_float(a.v[i]), s = mdm_sigmoid(x);
                const float first = g * mdm_float(b.v[i]) * s * (1.0f + x * (1.0f - s));
                da.v[i] = mdm_round<T>(mdm_float(da.v[i]) + first);
                db.v[i] = mdm_round<T>(mdm_float(db.v[i]) + g * x * s);
            }
            *(F *)((T *)j.y + at) = da;
            *(F *)((T *)j.y + at + j.h) = db;
        }
}

template <class T> static int launch(struct mdm_cuda *d, const struct glu *j, int back)
{
    typedef void (*kernel)(const struct glu);
    enum { N = mdm_pack<T>::N };
    static const kernel row[2][2] = {{join_rows<T, 1>, join_rows<T, N>}, {part_rows<T, 1>, part_rows<T, N>}};
    const int packs = j->h % N == 0;
    const int64_t wide = packs ? j->h / N : j->h, most = (int64_t)d->processors * 32;
    const int block = wide < BLOCK ? (int)mdm_cuda_pieces(wide, MDM_WARP) * MDM_WARP : BLOCK;
    const int64_t across = mdm_cuda_pieces(wide, block) < 64 ? mdm_cuda_pieces(wide, block) : 64;
    const dim3 grid((unsigned)(j->rows < most ? j->rows : most), (unsigned)across);

    return mdm_cuda_launch(d, back ? "swiglu's gradient" : "swiglu", row[back][packs], grid, block, 0, *j);
}

static struct glu read_call(const struct mdm_call *c)
{
    struct glu j = {};

    j.x = c->in[0];
    j.y = c->out[0];
    j.rows = mdm_cuda_rows(c->in_shape[0]);
    j.h = mdm_cuda_last(c->in_shape[0]) / 2;
    return j;
}

template <class T> static int forward(struct mdm_backend *b, const struct mdm_call *c)
{
    const struct glu j = read_call(c);

    return launch<T>(mdm_cuda_of(b), &j, 0);
}

template <class T> static int backward(struct mdm_backend *b, const struct mdm_call *c)
{
    struct glu j = read_call(c);

    if (!c->dout[0] || !c->din[0])
        return mdm_cuda_clear_gradients(mdm_cuda_of(b), c, 0, 0, 0);
    j.dy = c->dout[0];
    j.y = c->din[0];
    j.add = c->add[0];
    return launch<T>(mdm_cuda_of(b), &j, 1);
}

template <class T> static void add_type(struct mdm_kernel *k)
{
    k->forward = k->remake = forward<T>;
    k->backward = backward<T>;
}

int mdm_cuda_add_swiglu(struct mdm_cuda *d)
{
    add_type<float>(&d->kernel[0][MDM_OP_SWIGLU]);
    add_type<mdm_bf16>(&d->kernel[1][MDM_OP_SWIGLU]);
    return MASKDM_OK;
}

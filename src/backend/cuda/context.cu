/* SPDX-License-Identifier: BSD-2-Clause
 *
 * context: y[B,L+N,D] = [c + pos, x], with the image's row c[B,D] before each of pos[L,D].
 */
#include "backend/cuda/move.cuh"
#include "backend/cuda/table.cuh"

namespace
{

template <class T> struct shapes {
    int64_t batch, tokens, length, d; /* N, L, D */

    __device__ int64_t row(int64_t b, int64_t k) const
    {
        return (b * (length + tokens) + k) * d;
    }
};

template <class T> struct joined : shapes<T> {
    typedef T value;
    const T *x, *c, *position;
    T *y;

    __device__ mdm_span<T> at(int64_t row, int) const
    {
        const int64_t b = row / (this->length + this->tokens), k = row % (this->length + this->tokens), d = this->d;

        if (k < this->length)
            return {y + row * d, c + b * d, position + k * d, d, 0};
        return {y + row * d, x + (b * this->tokens + k - this->length) * d, NULL, d, 0};
    }
};

/* An image's tokens lie together in both. */
template <class T> struct parted : shapes<T> {
    typedef T value;
    const T *dy;
    T *dx;
    int add;

    __device__ mdm_span<T> at(int64_t b, int) const
    {
        const int64_t n = this->tokens * this->d;

        return {dx + b * n, dy + this->row(b, this->length), NULL, n, add};
    }
};

template <class T> struct images : shapes<T> {
    typedef T value;
    typedef T target;
    const T *dy;
    T *dc;
    int add;

    __device__ T *to(int64_t b) const
    {
        return dc + b * this->d;
    }

    __device__ const T *row(int64_t b, int64_t k) const
    {
        return dy + shapes<T>::row(b, k);
    }
};

template <class T> struct positions : shapes<T> {
    typedef T value;
    typedef float target;
    const T *dy;
    float *dposition;
    int add;

    __device__ float *to(int64_t k) const
    {
        return dposition + k * this->d;
    }

    __device__ const T *row(int64_t k, int64_t b) const
    {
        return dy + shapes<T>::row(b, k);
    }
};

} // namespace

template <class T> static shapes<T> read_shapes(const struct mdm_call *c)
{
    const struct mdm_shape *x = c->in_shape[0];

    return {x->d[0], x->d[1], mdm_cuda_rows(c->in_shape[2]), x->d[2]};
}

template <class T> static int forward(struct mdm_backend *b, const struct mdm_call *c)
{
    const shapes<T> s = read_shapes<T>(c);
    const joined<T> j = {s, (const T *)c->in[0], (const T *)c->in[1], (const T *)c->in[2], (T *)c->out[0]};

    return mdm_move(mdm_cuda_of(b), "context", j, s.batch * (s.length + s.tokens), 1, s.d, mdm_in_packs<T>(s.d));
}

template <class T> static int backward(struct mdm_backend *b, const struct mdm_call *c)
{
    struct mdm_cuda *d = mdm_cuda_of(b);
    const shapes<T> s = read_shapes<T>(c);
    const T *dy = (const T *)c->dout[0];
    const parted<T> x = {s, dy, (T *)c->din[0], c->add[0]};
    const images<T> image = {s, dy, (T *)c->din[1], c->add[1]};
    const positions<T> position = {s, dy, (float *)c->din[2], c->add[2]};

    if (!dy)
        return mdm_clear(d, c, 1u << 2);
    if (x.dx)
        MDM_CUDA_TRY(mdm_move(d, "context's tokens", x, s.batch, 1, s.tokens * s.d, mdm_in_packs<T>(s.d)));
    if (image.dc)
        MDM_CUDA_TRY(mdm_sum(d, "context's row", image, s.batch, s.length, s.d));
    return position.dposition ? mdm_sum(d, "context's positions", position, s.length, s.batch, s.d) : MASKDM_OK;
}

int mdm_cuda_add_context(struct mdm_cuda *d)
{
    d->kernel[0][MDM_OP_CONTEXT] = {forward<float>, backward<float>, NULL, NULL};
    d->kernel[1][MDM_OP_CONTEXT] = {forward<mdm_bf16>, backward<mdm_bf16>, NULL, NULL};
    return MASKDM_OK;
}

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * qk_rotate: the heads of q and k normalised and turned by angles. A head is the work of as many lanes as it has
 * packs, up to a warp.
 */
#ifndef MASKDM_BACKEND_CUDA_ROTATE_CUH
#define MASKDM_BACKEND_CUDA_ROTATE_CUH

#include "backend/cuda/kernel.cuh"

enum { MDM_ROTATE_BLOCK = 256, MDM_ROTATE_PARTS = 512 }; /* threads; into which rows are cut at most */

enum { MDM_QUERY, MDM_KEY, MDM_VALUE }; /* which heads of a row */

template <class T> struct mdm_rotate_job {
    const T *qkv, *w[2], *dy;
    const float *angles;
    T *y, *dqkv;
    float *r, *part;                            /* part[parts,2,D/h]: dq and dk */
    int64_t rows, tokens, extras, heads, width; /* of an image: all, and those that are not turned */
    int64_t part_rows;
    float epsilon;
    int add, lanes, wanted[2]; /* lanes of a head, a power of 2; which of dq and dk */
};

/* As many values as a lane takes at once. */
template <class T, int P> struct alignas(sizeof(T) * P) mdm_several {
    T v[P];
};

template <class T, int P> static __device__ __forceinline__ void mdm_rotate_load(float *out, const T *p)
{
    const mdm_several<T, P> x = *(const mdm_several<T, P> *)p;

#pragma unroll
    for (int i = 0; i < P; i++)
        out[i] = mdm_float(x.v[i]);
}

template <class T, int P> static __device__ __forceinline__ void mdm_rotate_store(T *p, const float *in, int add)
{
    mdm_several<T, P> x;

    if (add)
        x = *(const mdm_several<T, P> *)p;
#pragma unroll
    for (int i = 0; i < P; i++)
        x.v[i] = mdm_round<T>(add ? mdm_float(x.v[i]) + in[i] : in[i]);
    *(mdm_several<T, P> *)p = x;
}

/* The cosines of a row's angles, its sines W/2 behind them; NULL: it is not turned. */
template <class T>
static __device__ __forceinline__ const float *mdm_rotate_angles(const mdm_rotate_job<T> &j, int64_t row)
{
    const int64_t token = row % j.tokens - j.extras;

    return token < 0 ? NULL : j.angles + (row / j.tokens * (j.tokens - j.extras) + token) * j.width;
}

/* Turns the pairs from column c on by their angles, or back by them. */
template <int P>
static __device__ __forceinline__ void mdm_rotate_turn(float *x, const float *angles, int64_t c, int64_t width,
                                                       float way)
{
#pragma unroll
    for (int i = 0; i < P; i += 2) {
        const float a = x[i], b = x[i + 1], cosine = angles[(c + i) / 2];
        const float sine = way * angles[(width + c + i) / 2];

        x[i] = a * cosine - b * sine;
        x[i + 1] = b * cosine + a * sine;
    }
}

static __device__ __forceinline__ float mdm_rotate_sum(float x, int lanes)
{
    for (int i = lanes / 2; i > 0; i /= 2)
        x += __shfl_xor_sync(0xffffffffu, x, i);
    return x;
}

template <class T> static mdm_rotate_job<T> mdm_rotate_read(const struct mdm_call *c, int pack)
{
    const struct mdm_shape *s = c->in_shape[0];
    mdm_rotate_job<T> j = {};

    j.qkv = (const T *)c->in[0];
    j.w[MDM_QUERY] = (const T *)c->in[1];
    j.w[MDM_KEY] = (const T *)c->in[2];
    j.angles = (const float *)c->in[3];
    j.y = (T *)c->out[0];
    j.r = (float *)c->out[1];
    j.dy = (const T *)c->dout[0];
    j.dqkv = (T *)c->din[0];
    j.part = (float *)c->scratch;
    j.rows = mdm_cuda_rows(s);
    j.tokens = s->d[1];
    j.extras = j.tokens - c->in_shape[3]->d[1];
    j.heads = c->attr[0];
    j.width = s->d[2] / 3 / j.heads;
    j.part_rows = mdm_cuda_pieces(j.rows, MDM_ROTATE_PARTS);
    j.epsilon = (float)c->constant[0];
    j.add = c->add[0];
    for (j.lanes = 1; j.lanes < MDM_WARP && j.lanes * pack < j.width; j.lanes *= 2)
        ;
    for (int i = 0; i < 2; i++)
        j.wanted[i] = c->din[1 + i] != NULL;
    return j;
}

int mdm_rotate_backward(struct mdm_backend *b, const struct mdm_call *c);
size_t mdm_rotate_scratch(const struct mdm_backend *b, const struct mdm_call *c, int train);

#endif

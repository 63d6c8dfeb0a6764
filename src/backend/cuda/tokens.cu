/* SPDX-License-Identifier: BSD-2-Clause
 *
 * tokens: y[B,e+K,D] = [extra tokens, x] plus position rows 0 .. e-1 and e + index. A position's gradient is summed
 * over the images, each of which is asked which of its tokens stands there: scratch holds the answers.
 */
#include "backend/cuda/move.cuh"
#include "backend/cuda/table.cuh"

enum { BLOCK = 256, X = 0, POSITION = 1, INDEX = 2, FIRST = 3, MOST = MDM_MAX_IN - FIRST + 1 };

namespace
{

/* What some tokens of an image come from: x last. */
template <class T> struct source {
    const T *x;
    T *dx;
    int64_t tokens;
    int add;
};

template <class T> struct sequence {
    typedef T value;
    struct source<T> part[MOST];
    int parts;
    const T *position, *dy;
    T *y;
    const int32_t *index;
    int64_t batch, visible, extras, length, d;

    /* Which part token k of an image is of; it becomes the token there. */
    __device__ struct source<T> find_part(int64_t *k) const {
        struct source<T> p = part[0];

#pragma unroll
        for (int i = 1; i < MOST; i++)
            if (i < parts && *k >= p.tokens) {
                *k -= p.tokens;
                p = part[i];
            }
        return p;
    }
};

template <class T> struct joined : sequence<T> {
    __device__ mdm_span<T> at(int64_t row, int) const
    {
        const int64_t b = row / this->length, token = row % this->length, d = this->d;
        const int64_t place =
            token < this->extras ? token : this->extras + this->index[b * this->visible + token - this->extras];
        int64_t k = token;
        const struct source<T> p = this->find_part(&k);

        return {this->y + row * d, p.x + (b * p.tokens + k) * d, this->position + place * d, d, 0};
    }
};

template <class T> struct parted : sequence<T> {
    __device__ mdm_span<T> at(int64_t row, int) const
    {
        const int64_t b = row / this->length, d = this->d;
        int64_t k = row % this->length;
        const struct source<T> p = this->find_part(&k);

        return {p.dx + (b * p.tokens + k) * d, this->dy + row * d, NULL, p.dx ? d : 0, p.add};
    }
};

/* Of position row `place`, over the images. */
template <class T> struct positions {
    typedef T value;
    typedef float target;
    const T *dy;
    const int32_t *token; /* [P,B]: which of an image's tokens behind the first e stands in a place, or -1 */
    float *dposition;
    int64_t batch, extras, length, d;
    int add;

    __device__ float *to(int64_t place) const
    {
        return dposition + place * d;
    }

    __device__ const T *row(int64_t place, int64_t b) const
    {
        const int64_t k = place < extras ? place - extras : token[(place - extras) * batch + b];

        return place < extras || k >= 0 ? dy + (b * length + extras + k) * d : NULL;
    }
};

} // namespace

/* token[P,B] of -1, then each token's own. Places of an image differ. */
static __global__ void set_nowhere(int32_t *token, int64_t n)
{
    for (int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x; i < n; i += (int64_t)gridDim.x * blockDim.x)
        token[i] = -1;
}

static __global__ void set_tokens(int32_t *token, const int32_t *index, int64_t batch, int64_t visible)
{
    for (int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x; i < batch * visible;
         i += (int64_t)gridDim.x * blockDim.x)
        token[index[i] * batch + i / visible] = (int32_t)(i % visible);
}

template <class J> static J read_call(const struct mdm_call *c)
{
    typedef typename J::value T;
    J j = {};

    j.batch = c->in_shape[X]->d[0];
    j.visible = c->in_shape[X]->d[1];
    j.d = c->in_shape[X]->d[2];
    for (int i = FIRST; i <= MDM_MAX_IN; i++) {
        const int k = i < MDM_MAX_IN ? i : X;

        if (c->in_shape[k])
            j.part[j.parts++] = {(const T *)c->in[k], (T *)c->din[k],
                                 mdm_cuda_numel(c->in_shape[k]) / (j.batch * j.d), c->add[k]};
    }
    j.length = c->out_shape[0]->d[1];
    j.extras = j.length - j.visible;
    j.position = (const T *)c->in[POSITION];
    j.index = (const int32_t *)c->in[INDEX];
    j.y = (T *)c->out[0];
    j.dy = (const T *)c->dout[0];
    return j;
}

template <class T> static int forward(struct mdm_backend *b, const struct mdm_call *c)
{
    const joined<T> j = read_call<joined<T>>(c);

    return mdm_move(mdm_cuda_of(b), "tokens", j, j.batch * j.length, 1, j.d, mdm_in_packs<T>(j.d));
}

template <class T> static int sum_positions(struct mdm_cuda *d, const struct mdm_call *c, const sequence<T> &s)
{
    int32_t *token = (int32_t *)c->scratch;
    const int64_t rows = mdm_cuda_rows(c->in_shape[POSITION]), n = (rows - s.extras) * s.batch;
    const positions<T> j = {s.dy,     token, (float *)c->din[POSITION], s.batch, s.extras,
                            s.length, s.d,   c->add[POSITION]};

    MDM_CUDA_TRY(mdm_cuda_launch(d, "places", set_nowhere, mdm_cuda_grid(d, n, BLOCK), BLOCK, 0, token, n));
    MDM_CUDA_TRY(mdm_cuda_launch(d, "places", set_tokens, mdm_cuda_grid(d, s.batch * s.visible, BLOCK), BLOCK, 0,
                                 token, s.index, s.batch, s.visible));
    return mdm_sum(d, "the gradient of positions", j, rows, s.batch, s.d);
}

template <class T> static int backward(struct mdm_backend *b, const struct mdm_call *c)
{
    struct mdm_cuda *d = mdm_cuda_of(b);
    const parted<T> j = read_call<parted<T>>(c);
    int wanted = 0;

    if (!j.dy)
        return mdm_clear(d, c, 1u << POSITION);
    for (int i = 0; i < j.parts; i++)
        wanted |= j.part[i].dx != NULL;
    if (wanted)
        MDM_CUDA_TRY(mdm_move(d, "tokens' gradient", j, j.batch * j.length, 1, j.d, mdm_in_packs<T>(j.d)));
    return c->din[POSITION] ? sum_positions<T>(d, c, j) : MASKDM_OK;
}

static size_t scratch(const struct mdm_backend *b, const struct mdm_call *c, int train)
{
    const int64_t extras = c->out_shape[0]->d[1] - c->in_shape[X]->d[1];

    (void)b;
    return train ? (size_t)((mdm_cuda_rows(c->in_shape[POSITION]) - extras) * c->in_shape[X]->d[0]) * sizeof(int32_t)
                 : 0;
}

int mdm_cuda_add_tokens(struct mdm_cuda *d)
{
    d->kernel[0][MDM_OP_TOKENS] = {forward<float>, backward<float>, scratch, NULL};
    d->kernel[1][MDM_OP_TOKENS] = {forward<mdm_bf16>, backward<mdm_bf16>, scratch, NULL};
    return MASKDM_OK;
}

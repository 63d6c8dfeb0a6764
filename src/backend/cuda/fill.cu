/* SPDX-License-Identifier: BSD-2-Clause
 *
 * fill: y[B,e+R,D] in the places that route took it from, and the filler in all others, or in all of an image that is
 * dropped. What the filler gets is summed over runs of rows first, which scratch holds, and those in their order.
 */
#include "backend/cuda/move.cuh"
#include "backend/cuda/table.cuh"

enum { RUN = 256 }; /* rows */

namespace
{

struct places {
    const int32_t *keep, *dropped; /* NULL: all patches; no image */
    int64_t tokens, kept, extras, d;
    int has_y;

    /* The row of y that row `row` of x takes, or -1: the filler. */
    __device__ int64_t find(int64_t row) const
    {
        const int64_t b = row / tokens, i = row % tokens, rows = extras + kept;
        int64_t at;

        if (!has_y || (dropped && dropped[b]))
            return -1;
        if (i < extras || !keep)
            return b * rows + i;
        at = mdm_find(keep + b * kept, kept, i - extras);
        return at < 0 ? -1 : b * rows + extras + at;
    }
};

template <class T> struct filled {
    typedef T value;
    struct places places;
    const T *filler, *y;
    T *x;

    __device__ mdm_span<T> at(int64_t row, int) const
    {
        const int64_t from = places.find(row), d = places.d;

        return {x + row * d, from < 0 ? filler : y + from * d, NULL, d, 0};
    }
};

/* Of y: what stands in its place, and nothing where its image is dropped. */
template <class T> struct gathered {
    typedef T value;
    struct places places;
    const T *dx;
    T *dy;
    int add;

    __device__ mdm_span<T> at(int64_t row, int) const
    {
        const int64_t rows = places.extras + places.kept, b = row / rows, k = row % rows, d = places.d;
        const int64_t i =
            k < places.extras || !places.keep ? k : places.extras + places.keep[b * places.kept + k - places.extras];
        const int nothing = places.dropped && places.dropped[b];

        return {dy + row * d, nothing ? NULL : dx + (b * places.tokens + i) * d, NULL, d, add};
    }
};

template <class T> struct runs {
    typedef T value;
    typedef float target;
    struct places places;
    const T *dx;
    float *part;
    int64_t rows;
    int add;

    __device__ float *to(int64_t run) const
    {
        return part + run * places.d;
    }

    __device__ const T *row(int64_t run, int64_t i) const
    {
        const int64_t row = run * RUN + i;

        return row < rows && places.find(row) < 0 ? dx + row * places.d : NULL;
    }
};

struct total {
    typedef float value;
    typedef float target;
    const float *part;
    float *dfiller;
    int64_t d;
    int add;

    __device__ float *to(int64_t) const
    {
        return dfiller;
    }

    __device__ const float *row(int64_t, int64_t run) const
    {
        return part + run * d;
    }
};

} // namespace

static struct places read_places(const struct mdm_call *c)
{
    struct places p = {};

    p.keep = (const int32_t *)c->in[2];
    p.dropped = (const int32_t *)c->in[3];
    p.extras = c->attr[0];
    p.tokens = c->out_shape[0]->d[1];
    p.d = c->out_shape[0]->d[2];
    p.has_y = c->in_shape[1] != NULL;
    p.kept = c->in_shape[2] ? c->in_shape[2]->d[1] : p.tokens - p.extras;
    return p;
}

template <class T> static int forward(struct mdm_backend *b, const struct mdm_call *c)
{
    const filled<T> j = {read_places(c), (const T *)c->in[0], (const T *)c->in[1], (T *)c->out[0]};

    return mdm_move(mdm_cuda_of(b), "fill", j, mdm_cuda_rows(c->out_shape[0]), 1, j.places.d,
                    mdm_in_packs<T>(j.places.d));
}

template <class T> static int backward(struct mdm_backend *b, const struct mdm_call *c)
{
    struct mdm_cuda *d = mdm_cuda_of(b);
    const struct places p = read_places(c);
    const int64_t rows = mdm_cuda_rows(c->out_shape[0]), count = mdm_cuda_pieces(rows, RUN);
    const T *dx = (const T *)c->dout[0];
    const gathered<T> y = {p, dx, (T *)c->din[1], c->add[1]};
    const runs<T> part = {p, dx, (float *)c->scratch, rows, 0};
    const total filler = {part.part, (float *)c->din[0], p.d, c->add[0]};

    if (!dx)
        return mdm_clear(d, c, 1u << 0);
    if (y.dy)
        MDM_CUDA_TRY(mdm_move(d, "fill's gradient", y, mdm_cuda_rows(c->in_shape[1]), 1, p.d, mdm_in_packs<T>(p.d)));
    if (!filler.dfiller)
        return MASKDM_OK;
    MDM_CUDA_TRY(mdm_sum(d, "the filler's gradient", part, count, RUN, p.d));
    return mdm_sum(d, "the filler's gradient", filler, 1, count, p.d);
}

static size_t scratch(const struct mdm_backend *b, const struct mdm_call *c, int train)
{
    const struct mdm_shape *s = c->out_shape[0];

    (void)b;
    return train ? (size_t)(mdm_cuda_pieces(mdm_cuda_rows(s), RUN) * mdm_cuda_last(s)) * sizeof(float) : 0;
}

int mdm_cuda_add_fill(struct mdm_cuda *d)
{
    d->kernel[0][MDM_OP_FILL] = {forward<float>, backward<float>, scratch, NULL};
    d->kernel[1][MDM_OP_FILL] = {forward<mdm_bf16>, backward<mdm_bf16>, scratch, NULL};
    return MASKDM_OK;
}

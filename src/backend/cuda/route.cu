/* SPDX-License-Identifier: BSD-2-Clause
 *
 * route: y[B,e+R,D] = the first e tokens of x[B,N,D] and those that keep[B,R] lists, rising, behind them; unroute: x
 * with y in their places; trim: x's tokens from e on, or some of them. What is written is walked; where a token of
 * all stands among those kept is searched for.
 */
#include "backend/cuda/move.cuh"
#include "backend/cuda/table.cuh"

namespace
{

template <class T> struct routed {
    typedef T value;
    const int32_t *keep;
    int64_t tokens, kept, extras, d;
    const T *x, *y; /* all tokens, and those kept: what is read */
    T *dx, *dy;     /* the same of gradients, or results */
    int add_x, add_y;

    /* Of row `row` of all tokens: its row among those kept, or -1. */
    __device__ int64_t find_kept(int64_t row) const
    {
        const int64_t b = row / tokens, i = row % tokens;
        const int64_t at = i < extras ? i - extras : mdm_find(keep + b * kept, kept, i - extras);

        return i < extras || at >= 0 ? b * (extras + kept) + extras + at : -1;
    }
};

template <class T> struct gathered : routed<T> {
    __device__ mdm_span<T> at(int64_t row, int) const
    {
        const int64_t b = row / (this->extras + this->kept), k = row % (this->extras + this->kept), d = this->d;
        const int64_t i = k < this->extras ? k : this->extras + this->keep[b * this->kept + k - this->extras];

        return {this->dy + row * d, this->x + (b * this->tokens + i) * d, NULL, d, this->add_y};
    }
};

/* x and y are one sequence: each token is that of y where it is kept, else that of x, or zeros. */
template <class T> struct woven : routed<T> {
    __device__ mdm_span<T> at(int64_t row, int) const
    {
        const int64_t kept = this->find_kept(row), d = this->d;
        const T *from = kept >= 0 ? this->y + kept * d : this->x ? this->x + row * d : NULL;

        return {this->dx + row * d, from, NULL, d, this->add_x};
    }
};

/* The opposite: x where the token is not kept, zeros where it is. */
template <class T> struct left : routed<T> {
    __device__ mdm_span<T> at(int64_t row, int) const
    {
        const int64_t d = this->d;

        return {this->dx + row * d, this->find_kept(row) >= 0 ? NULL : this->x + row * d, NULL, d, this->add_x};
    }
};

/* Part 1 of an image's tokens stays, 0 and 2 fall away. */
template <class T> struct trimmed {
    typedef T value;
    const T *x;
    T *y;
    int64_t cut, kept, rest; /* elements of an image */

    __device__ mdm_span<T> at(int64_t b, int) const
    {
        return {y + b * kept, x + b * (cut + kept + rest) + cut, NULL, kept, 0};
    }
};

template <class T> struct untrimmed {
    typedef T value;
    const T *dy;
    T *dx;
    int64_t cut, kept, rest;
    int add;

    __device__ mdm_span<T> at(int64_t b, int part) const
    {
        T *to = dx + b * (cut + kept + rest);

        if (part == 1)
            return {to + cut, dy + b * kept, NULL, kept, add};
        return part == 0 ? mdm_span<T>{to, NULL, NULL, cut, add}
                         : mdm_span<T>{to + cut + kept, NULL, NULL, rest, add};
    }
};

} // namespace

template <class J> static J read_call(const struct mdm_call *c, int keep)
{
    J j = {};

    j.keep = (const int32_t *)c->in[keep];
    j.tokens = c->in_shape[0]->d[1];
    j.d = c->in_shape[0]->d[2];
    j.kept = c->in_shape[keep]->d[1];
    j.extras = c->attr[0];
    j.add_x = c->add[0];
    j.add_y = c->add[1];
    return j;
}

/* Over the rows of tokens of `shape`. */
template <class J> static int run(struct mdm_cuda *d, const char *what, const J &j, const struct mdm_shape *shape)
{
    return mdm_move(d, what, j, mdm_cuda_rows(shape), 1, j.d, mdm_in_packs<typename J::value>(j.d));
}

template <class T> static int route_forward(struct mdm_backend *b, const struct mdm_call *c)
{
    gathered<T> j = read_call<gathered<T>>(c, 1);

    j.x = (const T *)c->in[0];
    j.dy = (T *)c->out[0];
    j.add_y = 0;
    return run(mdm_cuda_of(b), "route", j, c->out_shape[0]);
}

template <class T> static int route_backward(struct mdm_backend *b, const struct mdm_call *c)
{
    woven<T> j = read_call<woven<T>>(c, 1);

    if (!c->dout[0] || !c->din[0])
        return mdm_clear(mdm_cuda_of(b), c, 0);
    j.y = (const T *)c->dout[0];
    j.dx = (T *)c->din[0];
    return run(mdm_cuda_of(b), "route's gradient", j, c->in_shape[0]);
}

template <class T> static int unroute_forward(struct mdm_backend *b, const struct mdm_call *c)
{
    woven<T> j = read_call<woven<T>>(c, 2);

    j.x = (const T *)c->in[0];
    j.y = (const T *)c->in[1];
    j.dx = (T *)c->out[0];
    j.add_x = 0;
    return run(mdm_cuda_of(b), "unroute", j, c->out_shape[0]);
}

template <class T> static int unroute_backward(struct mdm_backend *b, const struct mdm_call *c)
{
    struct mdm_cuda *d = mdm_cuda_of(b);
    left<T> rest = read_call<left<T>>(c, 2);
    gathered<T> kept = read_call<gathered<T>>(c, 2);

    if (!c->dout[0])
        return mdm_clear(d, c, 0);
    rest.x = kept.x = (const T *)c->dout[0];
    rest.dx = (T *)c->din[0];
    kept.dy = (T *)c->din[1];
    if (rest.dx)
        MDM_CUDA_TRY(run(d, "unroute's gradient", rest, c->in_shape[0]));
    return kept.dy ? run(d, "unroute's gradient", kept, c->in_shape[1]) : MASKDM_OK;
}

/* ---- trim ---- */

template <class J> static void measure(J *j, const struct mdm_call *c)
{
    const struct mdm_shape *s = c->in_shape[0];

    j->cut = c->attr[0] * s->d[2];
    j->kept = c->out_shape[0]->d[1] * s->d[2];
    j->rest = s->d[1] * s->d[2] - j->cut - j->kept;
}

template <class T> static int trim_forward(struct mdm_backend *b, const struct mdm_call *c)
{
    const struct mdm_shape *s = c->in_shape[0];
    trimmed<T> j = {(const T *)c->in[0], (T *)c->out[0], 0, 0, 0};

    measure(&j, c);
    return mdm_move(mdm_cuda_of(b), "trim", j, s->d[0], 1, j.kept, mdm_in_packs<T>(s->d[2]));
}

template <class T> static int trim_backward(struct mdm_backend *b, const struct mdm_call *c)
{
    const struct mdm_shape *s = c->in_shape[0];
    untrimmed<T> j = {(const T *)c->dout[0], (T *)c->din[0], 0, 0, 0, c->add[0]};

    if (!j.dx || !j.dy)
        return mdm_clear(mdm_cuda_of(b), c, 0);
    measure(&j, c);
    return mdm_move(mdm_cuda_of(b), "trim's gradient", j, s->d[0], 3, j.cut + j.kept + j.rest,
                    mdm_in_packs<T>(s->d[2]));
}

template <class T> static void add_kernels(struct mdm_kernel *k)
{
    k[MDM_OP_ROUTE] = {route_forward<T>, route_backward<T>, NULL, NULL};
    k[MDM_OP_UNROUTE] = {unroute_forward<T>, unroute_backward<T>, NULL, NULL};
    k[MDM_OP_TRIM] = {trim_forward<T>, trim_backward<T>, NULL, NULL};
}

int mdm_cuda_add_route(struct mdm_cuda *d)
{
    add_kernels<float>(d->kernel[0]);
    add_kernels<mdm_bf16>(d->kernel[1]);
    return MASKDM_OK;
}

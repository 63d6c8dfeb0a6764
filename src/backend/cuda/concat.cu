/* SPDX-License-Identifier: BSD-2-Clause
 *
 * concat: the rows of two or three values side by side. A row may be a whole image.
 */
#include "backend/cuda/move.cuh"
#include "backend/cuda/table.cuh"

namespace
{

enum { MOST = 3 };

template <class T> struct side {
    const T *x;
    T *dx;
    int64_t width, before; /* of its rows; of the sides before it */
    int add;
};

template <class T> struct sides {
    struct side<T> side[MOST];
    const T *dy;
    T *y;
    int64_t n, width; /* rows, and how long they are together */
    int count, packs;
    int64_t longest;
};

template <class T> struct joined : sides<T> {
    typedef T value;

    __device__ mdm_span<T> at(int64_t row, int k) const
    {
        const struct side<T> s = this->side[k];

        return {this->y + row * this->width + s.before, s.x + row * s.width, NULL, s.width, 0};
    }
};

template <class T> struct parted : sides<T> {
    typedef T value;

    __device__ mdm_span<T> at(int64_t row, int k) const
    {
        const struct side<T> s = this->side[k];

        return {s.dx + row * s.width, this->dy + row * this->width + s.before, NULL, s.dx ? s.width : 0, s.add};
    }
};

} // namespace

template <class J, class T> static J read_call(const struct mdm_call *c)
{
    J j = {};

    j.n = c->attr[0] ? c->out_shape[0]->d[0] : mdm_cuda_rows(c->out_shape[0]);
    j.y = (T *)c->out[0];
    j.dy = (const T *)c->dout[0];
    j.packs = 1;
    for (; j.count < MOST && c->in_shape[j.count]; j.count++) {
        const int k = j.count;

        j.side[k] = {(const T *)c->in[k], (T *)c->din[k], mdm_cuda_numel(c->in_shape[k]) / j.n, j.width, c->add[k]};
        j.width += j.side[k].width;
        j.packs = j.packs && mdm_in_packs<T>(j.side[k].width);
        j.longest = j.longest > j.side[k].width ? j.longest : j.side[k].width;
    }
    return j;
}

template <class T> static int forward(struct mdm_backend *b, const struct mdm_call *c)
{
    const joined<T> j = read_call<joined<T>, T>(c);

    return mdm_move(mdm_cuda_of(b), "concat", j, j.n, j.count, j.longest, j.packs);
}

template <class T> static int backward(struct mdm_backend *b, const struct mdm_call *c)
{
    const parted<T> j = read_call<parted<T>, T>(c);

    return j.dy ? mdm_move(mdm_cuda_of(b), "concat's gradient", j, j.n, j.count, j.longest, j.packs)
                : mdm_clear(mdm_cuda_of(b), c, 0);
}

int mdm_cuda_add_concat(struct mdm_cuda *d)
{
    d->kernel[0][MDM_OP_CONCAT] = {forward<float>, backward<float>, NULL, NULL};
    d->kernel[1][MDM_OP_CONCAT] = {forward<mdm_bf16>, backward<mdm_bf16>, NULL, NULL};
    return MASKDM_OK;
}

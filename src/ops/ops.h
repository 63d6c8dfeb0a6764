/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The vocabulary of models. Each call checks shapes, records one node and returns its first result. What an
 * operation computes stands at its id in backend/backend.h.
 */
#ifndef MASKDM_OPS_OPS_H
#define MASKDM_OPS_OPS_H

#include "graph/graph.h"

/* Between float and the type of a program that is narrower. */
mdm_val mdm_narrow(struct mdm_graph *g, mdm_val x);
mdm_val mdm_widen(struct mdm_graph *g, mdm_val x);
mdm_val mdm_linear(struct mdm_graph *g, mdm_val x, mdm_val w, mdm_val b);
mdm_val mdm_linear_silu(struct mdm_graph *g, mdm_val x, mdm_val w, mdm_val b);
mdm_val mdm_linear2(struct mdm_graph *g, mdm_val x, mdm_val s, mdm_val w, mdm_val b);
/* w plus scale times the product of b[O,r] and a[r,I]; further dimensions of all three count as rows of w do. */
mdm_val mdm_lowrank(struct mdm_graph *g, mdm_val w, mdm_val a, mdm_val b, double scale);
mdm_val mdm_gelu(struct mdm_graph *g, mdm_val x);
mdm_val mdm_gelu_tanh(struct mdm_graph *g, mdm_val x);
mdm_val mdm_silu(struct mdm_graph *g, mdm_val x);
mdm_val mdm_relu(struct mdm_graph *g, mdm_val x);
/* Two layers and gelu, or gelu_tanh, between them: one operation where a backend has that. */
struct mdm_perceptron {
    mdm_val w1, b1, w2, b2; /* b1, b2: MDM_NONE where there is none */
    int tanh;
};
mdm_val mdm_mlp(struct mdm_graph *g, mdm_val x, const struct mdm_perceptron *p);
mdm_val mdm_swiglu(struct mdm_graph *g, mdm_val x);
mdm_val mdm_layernorm(struct mdm_graph *g, mdm_val x, mdm_val w, mdm_val b, double epsilon);
/* The norm is returned, the sum goes to *sum. */
mdm_val mdm_add_norm(struct mdm_graph *g, mdm_val *sum, mdm_val x, mdm_val r, mdm_val w, mdm_val b, double epsilon);
/* scale, shift, gate: which of the rows of x's width that stand side by side in an image's row of m. */
mdm_val mdm_modulate(struct mdm_graph *g, mdm_val x, mdm_val m, int64_t scale, int64_t shift, double epsilon);
mdm_val mdm_rms_modulate(struct mdm_graph *g, mdm_val x, mdm_val w, mdm_val m, int64_t scale, int64_t shift,
                         double epsilon);
mdm_val mdm_gate_add(struct mdm_graph *g, mdm_val x, mdm_val r, mdm_val m, int64_t gate);
mdm_val mdm_add(struct mdm_graph *g, mdm_val x, mdm_val r);
mdm_val mdm_qkv_bias(struct mdm_graph *g, mdm_val x, mdm_val q, mdm_val v);
/* qkv[B,..,3D]: an image's rows are its tokens, however many dimensions they have. */
mdm_val mdm_attention(struct mdm_graph *g, mdm_val qkv, int64_t heads);
/* Of places in a grid, for heads of `width`; keep MDM_NONE: of all that index tells. */
mdm_val mdm_angles(struct mdm_graph *g, mdm_val index, mdm_val keep, int64_t rows, int64_t columns, int64_t width);
/* q, k: weights of a head's norm, MDM_NONE: it has none. Tokens before those of the angles are not turned. */
mdm_val mdm_qk_rotate(struct mdm_graph *g, mdm_val qkv, mdm_val q, mdm_val k, mdm_val angles, int64_t heads,
                      double epsilon);
mdm_val mdm_patchify(struct mdm_graph *g, mdm_val image, mdm_val index, int64_t patch);
/* Where an image's channels are those of several kinds of patches, and so are its indices: those of one. */
struct mdm_some {
    int64_t patch;
    int64_t channel, channels; /* the first, and how many */
    int64_t place, count;      /* of the indices, too */
    int64_t first;             /* what the first patch of the kind is called there */
};
mdm_val mdm_patchify_some(struct mdm_graph *g, mdm_val image, mdm_val index, const struct mdm_some *some);
mdm_val mdm_timestep(struct mdm_graph *g, mdm_val t, int64_t width, int exact);
/* Exact, the sines first where asked, and frequencies spaced as if there were `shift` fewer. */
mdm_val mdm_timestep_spaced(struct mdm_graph *g, mdm_val t, int64_t width, int sines_first, double shift);
mdm_val mdm_embed(struct mdm_graph *g, mdm_val label, mdm_val table, mdm_val null_row);
/* Zeros for label -1. */
mdm_val mdm_embed_or_zero(struct mdm_graph *g, mdm_val label, mdm_val table);
/* count: how many values, of one or more tokens each, stand before the patches; none to 3. */
mdm_val mdm_tokens(struct mdm_graph *g, const mdm_val *extra, int count, mdm_val x, mdm_val position, mdm_val index);
/* Tokens before x: as many as there are positions, each the image's row c plus its own. */
mdm_val mdm_context(struct mdm_graph *g, mdm_val x, mdm_val c, mdm_val position);
mdm_val mdm_trim(struct mdm_graph *g, mdm_val x, int64_t extras);
/* Of each image the tokens from `first` on, so many of them. */
mdm_val mdm_part(struct mdm_graph *g, mdm_val x, int64_t first, int64_t count);
/* y: the extra tokens of x and those that keep tells; unroute: x with y in their places. */
mdm_val mdm_route(struct mdm_graph *g, mdm_val x, mdm_val keep, int64_t extras);
mdm_val mdm_unroute(struct mdm_graph *g, mdm_val x, mdm_val y, mdm_val keep, int64_t extras);
/* A sequence of the shape `whole` out of such a y, the filler[D] elsewhere and in all of an image that dropped[B]
 * tells. y MDM_NONE: nothing but the filler; keep MDM_NONE: all are there; dropped MDM_NONE: no image is. */
mdm_val mdm_fill(struct mdm_graph *g, mdm_val filler, mdm_val y, mdm_val keep, mdm_val dropped,
                 struct mdm_shape whole, int64_t extras);
/* Each of x's rows as a matrix of so many rows, transposed. */
mdm_val mdm_transpose(struct mdm_graph *g, mdm_val x, int64_t rows);

/* ---- images [B,H,W,C] as they are, the channel innermost; mdm_linear is the 1x1 convolution ---- */

/* Pixels from one window to the next, and rows and columns of zeros above and left of the image, below and right. */
struct mdm_stride {
    int64_t step, before, after;
};
/* Windows of `side` that fit so many pixels with the zeros around them. */
static inline int64_t mdm_stride_windows(struct mdm_stride s, int64_t pixels, int64_t side)
{
    const int64_t free = pixels + s.before + s.after - side;

    return free < 0 ? 0 : free / s.step + 1;
}
/* w[O,I,k,l]; b[O] and row[B,O], a row per image that is added to all of its pixels, may be MDM_NONE. */
mdm_val mdm_conv(struct mdm_graph *g, mdm_val x, mdm_val w, mdm_val b, mdm_val row, struct mdm_stride stride);
/* The same with so many more columns of zeros on either side than there are rows above and below; may be negative. */
mdm_val mdm_conv_beside(struct mdm_graph *g, mdm_val x, mdm_val w, mdm_val b, mdm_val row, struct mdm_stride stride,
                        int64_t beside);
/* The largest, or the mean, of the pixels of the image in each window of side x side; every window has some. */
mdm_val mdm_max_pool(struct mdm_graph *g, mdm_val x, int64_t side, struct mdm_stride stride);
mdm_val mdm_average_pool(struct mdm_graph *g, mdm_val x, int64_t side, struct mdm_stride stride);
/* What a channel is multiplied with and shifted by: w[C], b[C]; then m[B,2C], of which the first C are an image's own
 * factor less one, and the others its shift. Each may be MDM_NONE. */
struct mdm_affine {
    mdm_val w, b, m;
};
mdm_val mdm_group_norm(struct mdm_graph *g, mdm_val x, struct mdm_affine affine, int64_t groups, double epsilon);
mdm_val mdm_group_norm_silu(struct mdm_graph *g, mdm_val x, struct mdm_affine affine, int64_t groups, double epsilon);
mdm_val mdm_upsample(struct mdm_graph *g, mdm_val x);
mdm_val mdm_downsample(struct mdm_graph *g, mdm_val x);
/* t: MDM_NONE for two. Of anything: queries, keys and values that come from three layers become attention's input. */
mdm_val mdm_concat(struct mdm_graph *g, mdm_val x, mdm_val s, mdm_val t);
/* The values of each image behind one another: tokens [B,M+N,D] where those of both are of one width, else [B,n]. */
mdm_val mdm_join(struct mdm_graph *g, mdm_val x, mdm_val y);
/* cut: the indexed patches of an image as a prediction has them; paste: an image of those, zeros elsewhere; hide: the
 * image without all others, and a channel behind its own that tells which pixels are hidden. */
mdm_val mdm_cut(struct mdm_graph *g, mdm_val image, mdm_val index, int64_t patch);
mdm_val mdm_paste(struct mdm_graph *g, mdm_val x, mdm_val index, int64_t patch, int64_t height, int64_t width);
mdm_val mdm_hide(struct mdm_graph *g, mdm_val image, mdm_val index, int64_t patch);

#endif

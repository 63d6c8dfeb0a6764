/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The gradients of every operation, by every input and parameter: alone, and where the input has another consumer
 * whose gradient is there already and must be added to.
 */
#include "base/format.h"
#include "rig.h"

#include "ops/ops.h"

static mdm_val input(struct rig *r, struct mdm_shape shape)
{
    mdm_val v = mdm_graph_input(&r->g, MDM_F64, shape);

    mdm_graph_want_gradient(&r->g, v);
    return v;
}

static mdm_val integers(struct rig *r, struct mdm_shape shape, const int32_t *x)
{
    mdm_val v = mdm_graph_input(&r->g, MDM_I32, shape);

    memcpy(rig_host(r, v), x, rig_bytes(r, v));
    return v;
}

static mdm_val matrix(struct rig *r, const char *name, int64_t made, int64_t taken)
{
    return mdm_graph_param(&r->g, name, mdm_shape2(made, taken), MDM_INIT_NORMAL, 1);
}

static mdm_val vector(struct rig *r, const char *name, int64_t n)
{
    return mdm_graph_param(&r->g, name, mdm_shape1(n), MDM_INIT_ONE, 0);
}

static void output(struct rig *r, mdm_val v)
{
    mdm_graph_output(&r->g, v);
}

static void linear(struct rig *r)
{
    output(r, mdm_linear(&r->g, input(r, mdm_shape2(7, 5)), matrix(r, "w", 11, 5), vector(r, "b", 11)));
}

static void linear_bare(struct rig *r)
{
    output(r, mdm_linear(&r->g, input(r, mdm_shape3(2, 19, 3)), matrix(r, "w", 1, 3), MDM_NONE));
}

static void linear_conv(struct rig *r)
{
    mdm_val w = mdm_graph_param(&r->g, "w", mdm_shape4(6, 3, 2, 2), MDM_INIT_NORMAL, 1);

    output(r, mdm_linear(&r->g, input(r, mdm_shape3(2, 3, 12)), w, vector(r, "b", 6)));
}

static void lowrank(struct rig *r)
{
    mdm_val w = mdm_lowrank(&r->g, matrix(r, "w", 6, 5), matrix(r, "a", 2, 5), matrix(r, "b", 6, 2), 0.75);

    output(r, mdm_linear(&r->g, input(r, mdm_shape2(7, 5)), w, vector(r, "c", 6)));
}

/* Of a frozen matrix, which two products share: their gradients of the sum add up. */
static void lowrank_shared(struct rig *r)
{
    mdm_val f = mdm_graph_frozen(&r->g, "w", mdm_shape4(6, 2, 3, 1), MDM_INIT_NORMAL, 1);
    mdm_val a = mdm_graph_param(&r->g, "a", mdm_shape4(3, 2, 3, 1), MDM_INIT_NORMAL, 1);
    mdm_val b = mdm_graph_param(&r->g, "b", mdm_shape4(6, 3, 1, 1), MDM_INIT_NORMAL, 1);
    mdm_val w = mdm_lowrank(&r->g, f, a, b, 1.5), x = mdm_linear(&r->g, input(r, mdm_shape2(4, 6)), w, MDM_NONE);

    output(r, mdm_linear(&r->g, mdm_gelu(&r->g, x), w, MDM_NONE));
}

static void gelu(struct rig *r)
{
    mdm_val y = mdm_gelu(&r->g, input(r, mdm_shape2(9, 5)));

    output(r, mdm_linear(&r->g, y, matrix(r, "w", 7, 5), vector(r, "b", 7)));
}

/* Both consumers of x add up, one of them behind the activation. */
static void gelu_shared(struct rig *r)
{
    mdm_val x = input(r, mdm_shape2(70, 4));
    mdm_val y = mdm_linear(&r->g, mdm_gelu(&r->g, x), matrix(r, "w", 4, 4), MDM_NONE);

    output(r, mdm_add(&r->g, mdm_linear(&r->g, mdm_gelu(&r->g, x), matrix(r, "v", 4, 4), MDM_NONE), y));
}

static void gelu_tanh(struct rig *r)
{
    output(r, mdm_linear(&r->g, mdm_gelu_tanh(&r->g, input(r, mdm_shape2(9, 5))), matrix(r, "w", 7, 5), MDM_NONE));
}

static void silu(struct rig *r)
{
    output(r, mdm_linear(&r->g, mdm_silu(&r->g, input(r, mdm_shape2(9, 5))), matrix(r, "w", 7, 5), MDM_NONE));
}

static void linear_silu(struct rig *r)
{
    output(r, mdm_linear_silu(&r->g, input(r, mdm_shape2(3, 5)), matrix(r, "w", 7, 5), vector(r, "b", 7)));
}

static void linear_silu_bare(struct rig *r)
{
    output(r, mdm_linear_silu(&r->g, input(r, mdm_shape2(6, 2)), matrix(r, "w", 5, 2), MDM_NONE));
}

static void linear2(struct rig *r)
{
    mdm_val x = input(r, mdm_shape3(2, 5, 4)), s = input(r, mdm_shape3(2, 5, 7));

    output(r, mdm_linear2(&r->g, x, s, matrix(r, "w", 6, 11), vector(r, "b", 6)));
}

static void linear2_bare(struct rig *r)
{
    mdm_val x = input(r, mdm_shape2(3, 4)), s = input(r, mdm_shape2(3, 4));

    output(r, mdm_linear2(&r->g, x, s, matrix(r, "w", 5, 8), MDM_NONE));
}

static void layernorm(struct rig *r)
{
    output(r, mdm_layernorm(&r->g, input(r, mdm_shape3(2, 9, 7)), vector(r, "w", 7), vector(r, "b", 7), 1e-5));
}

static void layernorm_row(struct rig *r)
{
    output(r, mdm_layernorm(&r->g, input(r, mdm_shape2(1, 33)), vector(r, "w", 33), vector(r, "b", 33), 1e-5));
}

static void layernorm_plain(struct rig *r)
{
    output(r, mdm_layernorm(&r->g, input(r, mdm_shape2(70, 6)), MDM_NONE, MDM_NONE, 1e-2));
}

static void layernorm_weight(struct rig *r)
{
    output(r, mdm_layernorm(&r->g, input(r, mdm_shape2(7, 6)), vector(r, "w", 6), MDM_NONE, 1e-6));
}

static void add_norm_plain(struct rig *r)
{
    mdm_val x = input(r, mdm_shape2(5, 6)), y = input(r, mdm_shape2(5, 6)), sum;

    output(r, mdm_add_norm(&r->g, &sum, x, y, MDM_NONE, MDM_NONE, 1e-6));
}

static void add_norm(struct rig *r)
{
    mdm_val x = input(r, mdm_shape3(2, 9, 5)), y = input(r, mdm_shape3(2, 9, 5)), sum;

    output(r, mdm_add_norm(&r->g, &sum, x, y, vector(r, "w", 5), vector(r, "b", 5), 1e-5));
    output(r, sum);
}

static void add_norm_alone(struct rig *r)
{
    mdm_val x = input(r, mdm_shape2(5, 6)), y = input(r, mdm_shape2(5, 6)), sum;

    output(r, mdm_add_norm(&r->g, &sum, x, y, vector(r, "w", 6), vector(r, "b", 6), 1e-5));
}

static void add(struct rig *r)
{
    mdm_val x = input(r, mdm_shape2(5, 3)), y = input(r, mdm_shape2(5, 3));

    output(r, mdm_add(&r->g, x, y));
}

static void qkv_bias(struct rig *r)
{
    output(r, mdm_qkv_bias(&r->g, input(r, mdm_shape3(2, 3, 15)), vector(r, "q", 5), vector(r, "v", 5)));
}

static void attention(struct rig *r)
{
    output(r, mdm_attention(&r->g, input(r, mdm_shape3(2, 19, 18)), 2));
}

static void attention_wide(struct rig *r)
{
    output(r, mdm_attention(&r->g, input(r, mdm_shape3(1, 70, 15)), 1));
}

static void attention_lonely(struct rig *r)
{
    output(r, mdm_attention(&r->g, input(r, mdm_shape3(3, 1, 9)), 3));
}

static void patchify(struct rig *r)
{
    static const int32_t index[] = {0, 3, 4, 1, 2, 5};
    mdm_val x = input(r, mdm_shape4(2, 4, 6, 3));

    output(r, mdm_patchify(&r->g, x, integers(r, mdm_shape2(2, 3), index), 2));
}

/* Patches of 2 x 2 of the first channel, called 0 to 5, and of 1 x 1 of the others, called 6 to 29. */
static void patchify_kinds(struct rig *r)
{
    static const int32_t index[] = {1, 5, 6, 17, 29, 0, 4, 8, 9, 21};
    const struct mdm_some large = {.patch = 2, .channels = 1, .count = 2};
    const struct mdm_some small = {.patch = 1, .channel = 1, .channels = 2, .place = 2, .count = 3, .first = 6};
    mdm_val x = input(r, mdm_shape4(2, 6, 4, 3)), which = integers(r, mdm_shape2(2, 5), index);

    output(r, mdm_patchify_some(&r->g, x, which, &large));
    output(r, mdm_patchify_some(&r->g, x, which, &small));
}

static void embed(struct rig *r)
{
    static const int32_t label[] = {2, -1, 0, 2, -1};

    output(r, mdm_embed(&r->g, integers(r, mdm_shape1(5), label), matrix(r, "table", 4, 6), matrix(r, "null", 1, 6)));
}

static void embed_last(struct rig *r)
{
    static const int32_t label[] = {2, -1, 0, 3};

    output(r, mdm_embed(&r->g, integers(r, mdm_shape1(4), label), matrix(r, "table", 4, 6), MDM_NONE));
}

static void embed_or_zero(struct rig *r)
{
    static const int32_t label[] = {2, -1, 0, 3};

    output(r, mdm_embed_or_zero(&r->g, integers(r, mdm_shape1(4), label), matrix(r, "table", 4, 6)));
}

static const int32_t visible[] = {0, 2, 5, 1, 2, 4};

static void tokens(struct rig *r)
{
    mdm_val a = input(r, mdm_shape2(2, 5)), x = input(r, mdm_shape3(2, 3, 5));
    mdm_val position = mdm_graph_param(&r->g, "position", mdm_shape3(1, 7, 5), MDM_INIT_NORMAL, 1);

    output(r, mdm_tokens(&r->g, &a, 1, x, position, integers(r, mdm_shape2(2, 3), visible)));
}

static void tokens_class(struct rig *r)
{
    mdm_val extra[] = {input(r, mdm_shape2(2, 5)), input(r, mdm_shape2(2, 5))}, x = input(r, mdm_shape3(2, 3, 5));
    mdm_val position = mdm_graph_param(&r->g, "position", mdm_shape3(1, 8, 5), MDM_INIT_NORMAL, 1);

    output(r, mdm_tokens(&r->g, extra, 2, x, position, integers(r, mdm_shape2(2, 3), visible)));
}

static void tokens_alone(struct rig *r)
{
    mdm_val x = input(r, mdm_shape3(2, 3, 5));
    mdm_val position = mdm_graph_param(&r->g, "position", mdm_shape3(1, 6, 5), MDM_INIT_NORMAL, 1);

    output(r, mdm_tokens(&r->g, NULL, 0, x, position, integers(r, mdm_shape2(2, 3), visible)));
}

static void tokens_many(struct rig *r)
{
    mdm_val extra[] = {input(r, mdm_shape3(2, 2, 5)), input(r, mdm_shape2(2, 5)), input(r, mdm_shape3(2, 3, 5))};
    mdm_val position = mdm_graph_param(&r->g, "position", mdm_shape3(1, 12, 5), MDM_INIT_NORMAL, 1);

    output(r, mdm_tokens(&r->g, extra, 3, input(r, mdm_shape3(2, 3, 5)), position,
                         integers(r, mdm_shape2(2, 3), visible)));
}

/* Rows that are never trained: the gradient of the rest is the same. */
static void tokens_frozen(struct rig *r)
{
    mdm_val position = mdm_graph_frozen(&r->g, "position", mdm_shape3(1, 6, 8), MDM_INIT_GRID, 3);

    output(r, mdm_tokens(&r->g, NULL, 0, input(r, mdm_shape3(2, 3, 8)), position,
                         integers(r, mdm_shape2(2, 3), visible)));
    ck_assert_int_eq(mdm_graph_flows(&r->g, position), 0);
}

static void modulate(struct rig *r)
{
    output(r, mdm_modulate(&r->g, input(r, mdm_shape3(2, 70, 5)), input(r, mdm_shape2(2, 15)), 2, 0, 1e-6));
}

/* Its result is made anew, and m has a second reader. */
static void modulate_linear(struct rig *r)
{
    mdm_val x = input(r, mdm_shape3(3, 4, 6)), m = input(r, mdm_shape2(3, 18));
    mdm_val y = mdm_linear(&r->g, mdm_modulate(&r->g, x, m, 0, 1, 1e-6), matrix(r, "w", 6, 6), MDM_NONE);

    output(r, mdm_gate_add(&r->g, x, y, m, 2));
}

static void gate_add(struct rig *r)
{
    mdm_val x = input(r, mdm_shape3(2, 65, 3)), y = input(r, mdm_shape3(2, 65, 3));

    output(r, mdm_gate_add(&r->g, x, y, input(r, mdm_shape2(2, 6)), 1));
}

static void swiglu(struct rig *r)
{
    output(r, mdm_linear(&r->g, mdm_swiglu(&r->g, input(r, mdm_shape2(9, 10))), matrix(r, "w", 7, 5), MDM_NONE));
}

static void rms_modulate(struct rig *r)
{
    mdm_val x = input(r, mdm_shape3(2, 70, 5)), w = matrix(r, "w", 1, 5);

    output(r, mdm_rms_modulate(&r->g, x, w, input(r, mdm_shape2(2, 15)), 2, 0, 1e-6));
}

/* Its result is made anew, and m has a second reader. */
static void rms_modulate_linear(struct rig *r)
{
    mdm_val x = input(r, mdm_shape3(3, 4, 6)), m = input(r, mdm_shape2(3, 18)), w = matrix(r, "n", 1, 6), y;

    y = mdm_linear(&r->g, mdm_rms_modulate(&r->g, x, w, m, 0, 1, 1e-6), matrix(r, "w", 6, 6), MDM_NONE);
    output(r, mdm_gate_add(&r->g, x, y, m, 2));
}

static mdm_val rotated(struct rig *r, int64_t heads, mdm_val keep)
{
    mdm_val qkv = input(r, mdm_shape3(2, 5, 24)), q = matrix(r, "q", 1, 8 / heads), k = matrix(r, "k", 1, 8 / heads);
    mdm_val angles = mdm_angles(&r->g, integers(r, mdm_shape2(2, 3), visible), keep, 2, 3, 8 / heads);

    return mdm_qk_rotate(&r->g, qkv, q, k, angles, heads, 1e-6);
}

static void qk_rotate(struct rig *r)
{
    output(r, rotated(r, 2, MDM_NONE));
}

/* Queries alone have a norm. */
static void qk_rotate_bare(struct rig *r)
{
    mdm_val qkv = input(r, mdm_shape3(2, 3, 24)), q = matrix(r, "q", 1, 4);
    mdm_val angles = mdm_angles(&r->g, integers(r, mdm_shape2(2, 3), visible), MDM_NONE, 2, 3, 4);

    output(r, mdm_attention(&r->g, mdm_qk_rotate(&r->g, qkv, q, MDM_NONE, angles, 2, 1e-6), 2));
}

/* Only some of the places, so that more tokens are left as they are. */
static void qk_rotate_attention(struct rig *r)
{
    static const int32_t some[] = {0, 2, 1, 2};

    output(r, mdm_attention(&r->g, rotated(r, 1, integers(r, mdm_shape2(2, 2), some)), 1));
}

static void context(struct rig *r)
{
    mdm_val x = input(r, mdm_shape3(2, 4, 3)), c = input(r, mdm_shape2(2, 3));

    output(r, mdm_context(&r->g, x, c, mdm_graph_param(&r->g, "position", mdm_shape3(1, 2, 3), MDM_INIT_NORMAL, 1)));
}

static void trim(struct rig *r)
{
    output(r, mdm_trim(&r->g, input(r, mdm_shape3(2, 5, 3)), 2));
}

/* Two parts of one sequence, with a token that is in neither, and one that is in both. */
static void part(struct rig *r)
{
    mdm_val x = input(r, mdm_shape3(2, 6, 3));

    output(r, mdm_linear(&r->g, mdm_part(&r->g, x, 0, 2), matrix(r, "w", 2, 3), MDM_NONE));
    output(r, mdm_part(&r->g, x, 1, 4));
}

static const int32_t kept[] = {0, 3, 1, 2};

static void route(struct rig *r)
{
    output(r, mdm_route(&r->g, input(r, mdm_shape3(2, 6, 3)), integers(r, mdm_shape2(2, 2), kept), 2));
}

static void unroute(struct rig *r)
{
    mdm_val x = input(r, mdm_shape3(2, 6, 3)), y = input(r, mdm_shape3(2, 4, 3));

    output(r, mdm_unroute(&r->g, x, y, integers(r, mdm_shape2(2, 2), kept), 2));
}

/* The sequence goes both ways, and past both. */
static void route_around(struct rig *r)
{
    mdm_val x = input(r, mdm_shape3(2, 4, 3)), keep = integers(r, mdm_shape2(2, 2), kept), y;

    y = mdm_linear(&r->g, mdm_route(&r->g, x, keep, 0), matrix(r, "w", 3, 3), MDM_NONE);
    output(r, mdm_add(&r->g, mdm_unroute(&r->g, x, mdm_gelu(&r->g, y), keep, 0), x));
}

static mdm_val filler(struct rig *r)
{
    return mdm_graph_param(&r->g, "filler", mdm_shape3(1, 1, 3), MDM_INIT_NORMAL, 1);
}

static const int32_t dropped[] = {0, 1};

static void fill(struct rig *r)
{
    mdm_val y = input(r, mdm_shape3(2, 4, 3)), f = filler(r), keep = integers(r, mdm_shape2(2, 2), kept);

    output(r, mdm_fill(&r->g, f, y, keep, MDM_NONE, mdm_shape3(2, 6, 3), 2));
}

static void fill_dropped(struct rig *r)
{
    mdm_val y = input(r, mdm_shape3(2, 2, 3)), f = filler(r), keep = integers(r, mdm_shape2(2, 2), kept);

    output(r, mdm_fill(&r->g, f, y, keep, integers(r, mdm_shape1(2), dropped), mdm_shape3(2, 4, 3), 0));
}

/* All tokens are there, of one image. */
static void fill_all(struct rig *r)
{
    mdm_val y = input(r, mdm_shape3(2, 4, 3)), f = filler(r), none = integers(r, mdm_shape1(2), dropped);

    output(r, mdm_fill(&r->g, f, y, MDM_NONE, none, mdm_shape3(2, 4, 3), 1));
}

/* As a network joins what went deep to what did not: out of one sequence, past and through. */
static void fill_join(struct rig *r)
{
    mdm_val x = input(r, mdm_shape3(2, 4, 3)), keep = integers(r, mdm_shape2(2, 2), kept), y;

    y = mdm_gelu(&r->g, mdm_linear(&r->g, mdm_route(&r->g, x, keep, 0), matrix(r, "w", 3, 3), MDM_NONE));
    y = mdm_fill(&r->g, filler(r), y, keep, integers(r, mdm_shape1(2), dropped), mdm_shape3(2, 4, 3), 0);
    output(r, mdm_linear2(&r->g, y, x, matrix(r, "join", 3, 6), vector(r, "b", 3)));
}

static void fill_alone(struct rig *r)
{
    mdm_val x = input(r, mdm_shape3(2, 4, 3)), y;

    y = mdm_fill(&r->g, filler(r), MDM_NONE, MDM_NONE, MDM_NONE, mdm_shape3(2, 4, 3), 0);
    output(r, mdm_linear2(&r->g, y, x, matrix(r, "join", 3, 6), MDM_NONE));
}

static void transpose(struct rig *r)
{
    output(r, mdm_transpose(&r->g, input(r, mdm_shape3(2, 3, 8)), 2));
}

/* Where there is one type both are there and change nothing. */
static void cast(struct rig *r)
{
    mdm_val x = mdm_narrow(&r->g, input(r, mdm_shape2(3, 4)));

    output(r, mdm_widen(&r->g, mdm_gelu(&r->g, x)));
}

static mdm_val kernel(struct rig *r, const char *name, int64_t made, int64_t taken, int64_t side)
{
    return mdm_graph_param(&r->g, name, mdm_shape4(made, taken, side, side), MDM_INIT_NORMAL, 1);
}

static void conv(struct rig *r)
{
    mdm_val x = input(r, mdm_shape4(2, 3, 4, 2));

    output(r, mdm_conv(&r->g, x, kernel(r, "w", 3, 2, 3), vector(r, "b", 3), MDM_NONE, (struct mdm_stride){1, 1, 1}));
}

static void conv_row(struct rig *r)
{
    mdm_val x = input(r, mdm_shape4(2, 2, 3, 2)), row = input(r, mdm_shape2(2, 3));

    output(r, mdm_conv(&r->g, x, kernel(r, "w", 3, 2, 3), vector(r, "b", 3), row, (struct mdm_stride){1, 1, 1}));
}

static void conv_bare(struct rig *r)
{
    mdm_val x = input(r, mdm_shape4(1, 5, 4, 2));

    output(r, mdm_conv(&r->g, x, kernel(r, "w", 2, 2, 3), MDM_NONE, MDM_NONE, (struct mdm_stride){1, 0, 0}));
}

static void conv_point(struct rig *r)
{
    mdm_val x = input(r, mdm_shape4(2, 3, 2, 3));

    output(r, mdm_conv(&r->g, x, kernel(r, "w", 2, 3, 1), vector(r, "b", 2), MDM_NONE, (struct mdm_stride){1, 0, 0}));
}

static void conv_half(struct rig *r)
{
    mdm_val x = input(r, mdm_shape4(2, 4, 6, 2));

    output(r, mdm_conv(&r->g, x, kernel(r, "w", 3, 2, 3), vector(r, "b", 3), MDM_NONE, (struct mdm_stride){2, 1, 1}));
}

static void conv_half_after(struct rig *r)
{
    mdm_val x = input(r, mdm_shape4(2, 4, 5, 2));

    output(r, mdm_conv(&r->g, x, kernel(r, "w", 2, 2, 3), MDM_NONE, MDM_NONE, (struct mdm_stride){2, 0, 1}));
}

static void conv_gaps(struct rig *r)
{
    mdm_val x = input(r, mdm_shape4(1, 7, 5, 2));

    output(r, mdm_conv(&r->g, x, kernel(r, "w", 2, 2, 2), MDM_NONE, MDM_NONE, (struct mdm_stride){3, 1, 2}));
}

static void conv_oblong(struct rig *r)
{
    mdm_val x = input(r, mdm_shape4(2, 4, 5, 1));
    mdm_val w = mdm_graph_param(&r->g, "w", mdm_shape4(2, 1, 1, 5), MDM_INIT_NORMAL, 1);

    output(r, mdm_conv(&r->g, x, w, MDM_NONE, MDM_NONE, (struct mdm_stride){1, 2, 2}));
}

/* As Inception's: a row of pixels, and zeros beside it alone; and a column. */
static void conv_beside(struct rig *r)
{
    mdm_val x = input(r, mdm_shape4(2, 4, 5, 2)), y;
    mdm_val w = mdm_graph_param(&r->g, "w", mdm_shape4(3, 2, 1, 5), MDM_INIT_NORMAL, 1);
    mdm_val v = mdm_graph_param(&r->g, "v", mdm_shape4(2, 3, 3, 1), MDM_INIT_NORMAL, 1);

    y = mdm_conv_beside(&r->g, x, w, MDM_NONE, MDM_NONE, (struct mdm_stride){1, 0, 0}, 2);
    output(r, mdm_conv_beside(&r->g, y, v, MDM_NONE, MDM_NONE, (struct mdm_stride){1, 1, 1}, -1));
}

static void relu(struct rig *r)
{
    mdm_val x = input(r, mdm_shape2(6, 5));

    output(r, mdm_add(&r->g, mdm_relu(&r->g, x), x));
}

static void max_pool(struct rig *r)
{
    output(r, mdm_max_pool(&r->g, input(r, mdm_shape4(2, 5, 6, 3)), 3, (struct mdm_stride){2, 0, 0}));
}

static void max_pool_overlapping(struct rig *r)
{
    mdm_val x = input(r, mdm_shape4(1, 3, 4, 2));

    output(r, mdm_add(&r->g, mdm_max_pool(&r->g, x, 3, (struct mdm_stride){1, 1, 1}), x));
}

static void average_pool(struct rig *r)
{
    mdm_val x = input(r, mdm_shape4(2, 4, 3, 2));

    output(r, mdm_add(&r->g, mdm_average_pool(&r->g, x, 3, (struct mdm_stride){1, 1, 1}), x));
}

static struct mdm_affine affine(struct rig *r, int64_t channels)
{
    return (struct mdm_affine){vector(r, "w", channels), vector(r, "b", channels), MDM_NONE};
}

static void group_norm(struct rig *r)
{
    output(r, mdm_group_norm(&r->g, input(r, mdm_shape4(2, 3, 3, 6)), affine(r, 6), 2, 1e-5));
}

static void group_norm_plain(struct rig *r)
{
    struct mdm_affine none = {MDM_NONE, MDM_NONE, MDM_NONE};

    output(r, mdm_group_norm(&r->g, input(r, mdm_shape3(2, 5, 4)), none, 4, 1e-3));
}

static void group_norm_silu(struct rig *r)
{
    output(r, mdm_group_norm_silu(&r->g, input(r, mdm_shape4(2, 9, 8, 4)), affine(r, 4), 2, 1e-5));
}

static void group_norm_modulated(struct rig *r)
{
    mdm_val x = input(r, mdm_shape4(3, 2, 3, 4));
    struct mdm_affine a = affine(r, 4);

    a.m = input(r, mdm_shape2(3, 8));
    output(r, mdm_group_norm_silu(&r->g, x, a, 1, 1e-5));
}

static void group_norm_shift(struct rig *r)
{
    struct mdm_affine a = {MDM_NONE, MDM_NONE, MDM_NONE};
    mdm_val x = input(r, mdm_shape4(2, 2, 2, 6));

    a.m = input(r, mdm_shape2(2, 12));
    output(r, mdm_group_norm(&r->g, x, a, 3, 1e-5));
}

/* A residual block: the norm's result is made anew, and the block's input goes past it. */
static void group_norm_block(struct rig *r)
{
    mdm_val x = input(r, mdm_shape4(2, 3, 4, 4)), h;

    h = mdm_group_norm_silu(&r->g, x, affine(r, 4), 2, 1e-5);
    h = mdm_conv(&r->g, h, kernel(r, "v", 4, 4, 3), MDM_NONE, MDM_NONE, (struct mdm_stride){1, 1, 1});
    output(r, mdm_add(&r->g, x, h));
}

static void upsample(struct rig *r)
{
    mdm_val y = mdm_upsample(&r->g, input(r, mdm_shape4(2, 2, 3, 2)));

    output(r, mdm_conv(&r->g, y, kernel(r, "w", 2, 2, 3), MDM_NONE, MDM_NONE, (struct mdm_stride){1, 1, 1}));
}

static void upsample_alone(struct rig *r)
{
    output(r, mdm_upsample(&r->g, input(r, mdm_shape4(1, 3, 2, 3))));
}

static void downsample(struct rig *r)
{
    output(r, mdm_downsample(&r->g, input(r, mdm_shape4(2, 4, 6, 3))));
}

static void concat(struct rig *r)
{
    mdm_val x = input(r, mdm_shape4(2, 2, 3, 2)), s = input(r, mdm_shape4(2, 2, 3, 5));

    output(r, mdm_concat(&r->g, x, s, MDM_NONE));
}

/* Queries, keys and values of an image's pixels. */
static void join(struct rig *r)
{
    mdm_val x = input(r, mdm_shape3(3, 2, 4)), y = input(r, mdm_shape3(3, 5, 4));

    output(r, mdm_attention(&r->g, mdm_linear(&r->g, mdm_join(&r->g, x, y), matrix(r, "w", 6, 4), MDM_NONE), 1));
}

static void join_unlike(struct rig *r)
{
    output(r, mdm_join(&r->g, input(r, mdm_shape3(3, 2, 4)), input(r, mdm_shape3(3, 3, 1))));
}

static void concat_attention(struct rig *r)
{
    mdm_val q = input(r, mdm_shape4(2, 2, 3, 4)), k = input(r, mdm_shape4(2, 2, 3, 4));

    output(r, mdm_attention(&r->g, mdm_concat(&r->g, q, k, input(r, mdm_shape4(2, 2, 3, 4))), 2));
}

static void cut(struct rig *r)
{
    output(r, mdm_cut(&r->g, input(r, mdm_shape4(2, 4, 6, 3)), integers(r, mdm_shape2(2, 3), visible), 2));
}

static void paste(struct rig *r)
{
    output(r, mdm_paste(&r->g, input(r, mdm_shape3(2, 3, 8)), integers(r, mdm_shape2(2, 3), visible), 2, 4, 6));
}

static void hide(struct rig *r)
{
    output(r, mdm_hide(&r->g, input(r, mdm_shape4(2, 4, 6, 3)), integers(r, mdm_shape2(2, 3), visible), 2));
}

static const struct {
    const char *name;
    void (*record)(struct rig *r);
} cases[] = {
    {"linear", linear},
    {"linear without bias", linear_bare},
    {"linear with a convolution's weight", linear_conv},
    {"gelu", gelu},
    {"gelu twice over one input", gelu_shared},
    {"gelu_tanh", gelu_tanh},
    {"silu", silu},
    {"linear_silu", linear_silu},
    {"linear_silu without bias", linear_silu_bare},
    {"linear2", linear2},
    {"linear2 without bias", linear2_bare},
    {"lowrank", lowrank},
    {"lowrank of a frozen matrix with two consumers", lowrank_shared},
    {"layernorm", layernorm},
    {"layernorm of one row", layernorm_row},
    {"layernorm without weight and bias", layernorm_plain},
    {"layernorm without bias", layernorm_weight},
    {"add_norm without weight and bias", add_norm_plain},
    {"add_norm", add_norm},
    {"add_norm whose sum nobody uses", add_norm_alone},
    {"add", add},
    {"qkv_bias", qkv_bias},
    {"attention", attention},
    {"attention over more than a tile", attention_wide},
    {"attention of one token", attention_lonely},
    {"patchify", patchify},
    {"patchify of two kinds", patchify_kinds},
    {"embed", embed},
    {"embed whose last row is the null one", embed_last},
    {"embed where zeros are", embed_or_zero},
    {"tokens", tokens},
    {"tokens with a class", tokens_class},
    {"tokens without others", tokens_alone},
    {"tokens after many", tokens_many},
    {"tokens whose positions are frozen", tokens_frozen},
    {"modulate", modulate},
    {"modulate before a product", modulate_linear},
    {"gate_add", gate_add},
    {"swiglu", swiglu},
    {"rms_modulate", rms_modulate},
    {"rms_modulate before a product", rms_modulate_linear},
    {"qk_rotate", qk_rotate},
    {"qk_rotate before attention", qk_rotate_attention},
    {"qk_rotate without a norm of keys", qk_rotate_bare},
    {"context", context},
    {"trim", trim},
    {"trim to parts", part},
    {"route", route},
    {"unroute", unroute},
    {"route and back", route_around},
    {"fill", fill},
    {"fill where an image is dropped", fill_dropped},
    {"fill where all tokens are there", fill_all},
    {"fill between two ways", fill_join},
    {"fill of nothing", fill_alone},
    {"transpose", transpose},
    {"narrow and widen", cast},
    {"conv", conv},
    {"conv with a row per image", conv_row},
    {"conv without bias and zeros around", conv_bare},
    {"conv of single pixels", conv_point},
    {"conv to half the size", conv_half},
    {"conv to half the size, zeros below and right", conv_half_after},
    {"conv that leaves pixels out", conv_gaps},
    {"conv of an oblong window", conv_oblong},
    {"conv with zeros on one side or the other", conv_beside},
    {"relu", relu},
    {"max_pool", max_pool},
    {"max_pool of windows that overlap", max_pool_overlapping},
    {"average_pool", average_pool},
    {"group_norm", group_norm},
    {"group_norm without weight and bias", group_norm_plain},
    {"group_norm_silu", group_norm_silu},
    {"group_norm_silu, scaled and shifted per image", group_norm_modulated},
    {"group_norm, scaled and shifted per image alone", group_norm_shift},
    {"group_norm in a residual block", group_norm_block},
    {"upsample before a convolution", upsample},
    {"upsample", upsample_alone},
    {"downsample", downsample},
    {"concat", concat},
    {"concat before attention", concat_attention},
    {"concat of images", join},
    {"concat of images of two widths", join_unlike},
    {"cut", cut},
    {"paste", paste},
    {"hide", hide},
};

/* Another consumer behind the op: backward meets it first, so that the op must add. */
static void share(struct rig *r)
{
    int n = r->g.n_val;

    for (int v = 0; v < n; v++)
        if (r->g.val[v].wants_gradient) {
            mdm_val other = mdm_graph_input(&r->g, MDM_F64, r->g.val[v].shape);
            output(r, mdm_add(&r->g, v, other));
        }
}

START_TEST(gradients_match_differences)
{
    for (size_t i = 0; i < MDM_LENGTH(cases); i++)
        for (int shared = 0; shared < 2; shared++) {
            struct rig r;
            char what[80];

            mdm_format(what, sizeof what, "%s%s", cases[i].name, shared ? ", shared" : "");
            rig_open(&r, i + 1);
            cases[i].record(&r);
            if (shared)
                share(&r);
            rig_plan(&r, MDM_PLAN_TRAIN);
            for (int k = 0; shared && k < MDM_MAX_IN && r.g.node[0].in[k] >= 0; k++)
                ck_assert_int_eq(r.g.node[0].add[k], mdm_graph_flows(&r.g, r.g.node[0].in[k]));
            rig_check(&r, what, 1);
            rig_close(&r);
        }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("gradients");
    TCase *t = tcase_create("ops");
    SRunner *r = srunner_create(s);
    int failed;

    suite_add_tcase(s, t);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, gradients_match_differences);
    srunner_run_all(r, CK_ENV);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}

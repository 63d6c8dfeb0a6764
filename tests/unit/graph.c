/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Recording, planning and running, on kernels that compute nothing sensible.
 */
#include "fake.h"

#include "base/alloc.h"
#include "base/rng.h"
#include "graph/plan.h"
#include "ops/ops.h"
#include "text/text.h"

#include <check.h>

static mdm_val weight(struct mdm_graph *g, const char *name, int64_t made, int64_t taken)
{
    return mdm_graph_param(g, name, mdm_shape2(made, taken), MDM_INIT_NORMAL, 1);
}

static mdm_val vector(struct mdm_graph *g, const char *name, int64_t n)
{
    return mdm_graph_param(g, name, mdm_shape1(n), MDM_INIT_ONE, 0);
}

/* A residual chain in which x has three consumers, one value crosses the others, and an input wants a gradient. */
static void record_chain(struct mdm_graph *g)
{
    mdm_val x = mdm_graph_input(g, MDM_F32, mdm_shape3(2, 5, 6));
    mdm_val first = mdm_layernorm(g, x, vector(g, "w", 6), vector(g, "b", 6), 1e-5), y = first, sum;

    mdm_graph_want_gradient(g, x);
    for (int i = 0; i < 4; i++) {
        mdm_graph_scope(g, "block.%d.", i);
        mdm_val qkv = mdm_linear(g, y, weight(g, "qkv", 18, 6), MDM_NONE);
        mdm_val h = mdm_attention(g, qkv, 2);
        h = mdm_add_norm(g, &sum, y, h, vector(g, "w", 6), vector(g, "b", 6), 1e-5);
        h = mdm_linear_silu(g, h, weight(g, "fc1", 24, 6), vector(g, "b1", 24));
        y = mdm_add(g, sum, mdm_linear(g, h, weight(g, "fc2", 6, 24), MDM_NONE));
    }
    mdm_graph_scope(g, "%s", "");
    y = mdm_linear2(g, y, first, weight(g, "join", 6, 12), MDM_NONE);
    y = mdm_add_norm(g, &sum, y, x, vector(g, "w", 6), vector(g, "b", 6), 1e-5);
    mdm_graph_output(g, y);
}

START_TEST(sharing_changes_no_bit)
{
    enum { ROOM = 20000 };
    static float result[4][ROOM];
    size_t bytes[4], unshared[4];
    int64_t count = 0;

    for (int i = 0; i < 4; i++) {
        struct mdm_params layout = {0};
        struct mdm_graph g;
        int flags = (i & 1 ? MDM_PLAN_UNSHARED : 0) | (i & 2 ? 0 : MDM_PLAN_TRAIN);

        mdm_graph_init(&g, &fake_backend, &layout, MDM_F32);
        record_chain(&g);
        ck_assert_msg(mdm_graph_plan(&g, flags) == 0, "%s", mdm_error_text());
        count = fake_step(&g, result[i], ROOM);
        ck_assert_msg(count > 0 && count < ROOM, "%lld values", (long long)count);
        for (int64_t k = 0; k < count; k++)
            ck_assert_msg(!isnan(result[i][k]), "value %lld of run %d is not a number", (long long)k, i);
        bytes[i] = g.arena_bytes;
        unshared[i] = g.unplanned_bytes;
        if (i & 1)
            ck_assert_uint_eq(g.arena_bytes, g.unplanned_bytes);
        else
            ck_assert_uint_lt(g.arena_bytes, g.unplanned_bytes);
        if (i & 1) /* what is made anew counts once */
            ck_assert_uint_eq(unshared[i], unshared[i - 1]);
        if (i & 1)
            ck_assert_msg(memcmp(result[i - 1], result[i], (size_t)count * sizeof(float)) == 0, "run %d differs", i);
        mdm_graph_free(&g);
        mdm_params_free(&layout);
    }
    ck_assert_uint_lt(bytes[2], bytes[0]);
}
END_TEST

/* What is cheap to make anew gives up its bytes between forward and backward, but not when it is an output. */
START_TEST(remade_values_give_up_their_bytes)
{
    struct mdm_params layout = {0};
    struct mdm_graph g;
    mdm_val x, n, h, y;

    mdm_graph_init(&g, &fake_backend, &layout, MDM_F32);
    x = mdm_graph_input(&g, MDM_F32, mdm_shape2(50, 8));
    n = mdm_layernorm(&g, x, vector(&g, "w", 8), vector(&g, "b", 8), 1e-5);
    h = mdm_linear(&g, n, weight(&g, "up", 8, 8), MDM_NONE);
    y = mdm_linear2(&g, h, n, weight(&g, "join", 8, 16), MDM_NONE);
    mdm_graph_output(&g, y);
    ck_assert_int_eq(mdm_graph_plan(&g, MDM_PLAN_TRAIN), 0);
    ck_assert_uint_ne(g.val[n].at, SIZE_MAX);
    ck_assert_uint_ne(g.val[n].again_at, SIZE_MAX);
    ck_assert_uint_eq(g.val[h].again_at, SIZE_MAX);
    ck_assert_uint_eq(g.node[2].remakes, 1u << 1); /* the join reads it first */
    ck_assert_uint_eq(g.node[1].remakes, 0);
    ck_assert_int_eq(mdm_graph_plan(&g, 0), 0);
    ck_assert_uint_eq(g.val[n].again_at, SIZE_MAX);
    g.keeps = 1;
    ck_assert_int_eq(mdm_graph_plan(&g, MDM_PLAN_TRAIN), 0);
    ck_assert_uint_eq(g.val[n].again_at, SIZE_MAX);
    ck_assert_uint_eq(g.node[2].remakes, 0);
    g.keeps = 0;
    mdm_graph_output(&g, n);
    ck_assert_int_eq(mdm_graph_plan(&g, MDM_PLAN_TRAIN), 0);
    ck_assert_uint_eq(g.val[n].again_at, SIZE_MAX);
    ck_assert_uint_eq(g.node[2].remakes, 0);
    mdm_graph_free(&g);
    mdm_params_free(&layout);
}
END_TEST

/* The gradients of a sum's terms are one, unless somebody else has a part in one of them. */
START_TEST(terms_of_a_sum_share_a_gradient)
{
    for (int joined = 0; joined < 2; joined++) {
        struct mdm_params layout = {0};
        struct mdm_graph g;
        mdm_val x, a, b, y;

        mdm_graph_init(&g, &fake_backend, &layout, MDM_F32);
        x = mdm_graph_input(&g, MDM_F32, mdm_shape2(50, 8));
        a = mdm_linear(&g, x, weight(&g, "first", 8, 8), MDM_NONE);
        b = mdm_linear(&g, a, weight(&g, "second", 8, 8), MDM_NONE);
        a = joined ? a : mdm_linear(&g, x, weight(&g, "third", 8, 8), MDM_NONE);
        y = mdm_add(&g, a, b);
        mdm_graph_output(&g, y);
        ck_assert_int_eq(mdm_graph_plan(&g, MDM_PLAN_TRAIN | MDM_PLAN_UNSHARED), 0);
        ck_assert_uint_ne(g.val[a].grad_at, g.val[b].grad_at);
        ck_assert_int_eq(mdm_graph_plan(&g, MDM_PLAN_TRAIN), 0);
        ck_assert_uint_ne(g.val[b].grad_at, SIZE_MAX);
        ck_assert_int_eq(g.val[a].grad_at == g.val[b].grad_at, !joined);
        mdm_graph_free(&g);
        mdm_params_free(&layout);
    }
}
END_TEST

/* The promise itself, on random spans: those that meet in time never meet in memory, and all are aligned. */
START_TEST(spans_do_not_meet)
{
    enum { SPANS = 300 };
    struct mdm_span span[SPANS];
    size_t at[SPANS], total, alive, most = 0, sum = 0;
    struct mdm_rng r = mdm_rng_make(11, MDM_DRAW_USER, 0, 0);

    for (int i = 0; i < SPANS; i++) {
        int from = (int)mdm_rng_range(&r, 200);
        span[i] = (struct mdm_span){.at = &at[i],
                                    .bytes = 64 * (1 + (size_t)mdm_rng_range(&r, 40)),
                                    .from = from,
                                    .to = from + (int)mdm_rng_range(&r, 30)};
        sum += span[i].bytes;
    }
    ck_assert_int_eq(mdm_place(&total, span, SPANS), 0);
    for (int i = 0; i < SPANS; i++) {
        ck_assert_uint_eq(*span[i].at % 64, 0);
        ck_assert_uint_le(*span[i].at + span[i].bytes, total);
        for (int j = 0; j < i; j++)
            if (span[i].from <= span[j].to && span[j].from <= span[i].to)
                ck_assert(*span[i].at >= *span[j].at + span[j].bytes || *span[j].at >= *span[i].at + span[i].bytes);
    }
    for (int t = 0; t < 230; t++) {
        alive = 0;
        for (int i = 0; i < SPANS; i++)
            alive += span[i].from <= t && t <= span[i].to ? span[i].bytes : 0;
        most = alive > most ? alive : most;
    }
    ck_assert_uint_ge(total, most);
    ck_assert_uint_lt(total, most + most / 4);
    ck_assert_uint_lt(total, sum / 2);
}
END_TEST

/* What the planner decides about gradients, on a program small enough to say it by hand. */
START_TEST(gradients_flow_where_wanted)
{
    struct mdm_params layout = {0};
    struct mdm_graph g;
    mdm_val image, index, x, t, y, z, sum;

    mdm_graph_init(&g, &fake_backend, &layout, MDM_F32);
    image = mdm_graph_input(&g, MDM_F32, mdm_shape4(1, 4, 4, 1));
    index = mdm_graph_input(&g, MDM_I32, mdm_shape2(1, 3));
    x = mdm_patchify(&g, image, index, 2);
    t = mdm_linear(&g, x, weight(&g, "w", 4, 4), MDM_NONE);
    y = mdm_add(&g, x, t);
    z = mdm_add_norm(&g, &sum, y, t, vector(&g, "n", 4), vector(&g, "m", 4), 1e-5);
    mdm_graph_output(&g, z);
    ck_assert_int_eq(mdm_graph_plan(&g, MDM_PLAN_TRAIN), 0);
    ck_assert_int_eq(g.node[0].backward, 0);
    ck_assert_int_eq(g.node[1].backward, 1);
    ck_assert_int_eq(mdm_graph_flows(&g, image), 0);
    ck_assert_int_eq(mdm_graph_flows(&g, x), 0);
    ck_assert_int_eq(mdm_graph_flows(&g, t), 1);
    ck_assert_int_eq(g.node[3].add[1], 0); /* runs first: writes dt */
    ck_assert_int_eq(g.node[2].add[1], 1); /* then adds to it */
    ck_assert_int_eq(g.node[1].add[1], 1); /* a parameter */
    ck_assert_uint_eq(g.val[sum].grad_at, SIZE_MAX);
    ck_assert_uint_ne(g.val[sum].at, SIZE_MAX); /* backward reads it */
    ck_assert_double_eq(mdm_graph_flops(&g, 0), 2.0 * 3 * 4 * 4);
    ck_assert_double_eq(mdm_graph_flops(&g, 1), 2.0 * 3 * 4 * 4);    /* dw alone: nobody wants dx */

    ck_assert_int_eq(mdm_graph_plan(&g, 0), 0);
    ck_assert_uint_eq(g.val[sum].at, SIZE_MAX);
    ck_assert_uint_eq(g.val[g.node[3].out[2]].at, SIZE_MAX);
    ck_assert_int_eq(mdm_graph_flows(&g, t), 0);
    ck_assert_double_eq(mdm_graph_flops(&g, 1), 0);
    ck_assert_int_eq(mdm_graph_backward(&g, NULL, NULL, NULL), MASKDM_EINVAL);
    mdm_graph_free(&g);
    mdm_params_free(&layout);
}
END_TEST

START_TEST(a_value_that_nobody_uses_is_refused)
{
    struct mdm_params layout = {0};
    struct mdm_graph g;
    mdm_val x, y;

    mdm_graph_init(&g, &fake_backend, &layout, MDM_F32);
    x = mdm_graph_input(&g, MDM_F32, mdm_shape2(2, 4));
    y = mdm_linear(&g, x, weight(&g, "used", 4, 4), MDM_NONE);
    mdm_linear(&g, x, weight(&g, "other", 4, 4), MDM_NONE);
    mdm_graph_output(&g, y);
    ck_assert_int_eq(mdm_graph_plan(&g, 0), MASKDM_EINVAL);
    ck_assert_str_eq(mdm_error_text(), "nobody uses value 4, a result of linear, operation 1");
    weight(&g, "idle", 4, 4);
    ck_assert_int_eq(mdm_graph_plan(&g, 0), MASKDM_EINVAL);
    ck_assert_str_eq(mdm_error_text(), "nobody uses parameter idle");
    mdm_graph_free(&g);
    mdm_params_free(&layout);
}
END_TEST

START_TEST(the_first_failure_sticks)
{
    struct mdm_params layout = {0};
    struct mdm_graph g;
    mdm_val x, y;

    mdm_graph_init(&g, &fake_backend, &layout, MDM_F32);
    x = mdm_graph_input(&g, MDM_F32, mdm_shape2(2, 5));
    mdm_graph_scope(&g, "trunk.%d.", 3);
    y = mdm_linear(&g, x, weight(&g, "w", 4, 6), MDM_NONE);
    ck_assert_int_eq(y, MDM_NONE);
    ck_assert_int_eq(mdm_graph_shape(&g, y).n, 0);
    y = mdm_add(&g, y, x);
    mdm_graph_output(&g, y);
    ck_assert_int_eq(y, MDM_NONE);
    ck_assert_int_eq(mdm_graph_plan(&g, 0), MASKDM_ESHAPE);
    ck_assert_str_eq(mdm_error_text(), "linear: x has rows of 5, w makes rows of 4 from rows of 6 (in trunk.3.)");
    mdm_graph_free(&g);

    mdm_graph_init(&g, &fake_backend, &layout, MDM_F32);
    x = mdm_graph_input(&g, MDM_F32, mdm_shape2(2, 4));
    mdm_qkv_bias(&g, x, vector(&g, "n", 4), MDM_NONE);
    ck_assert_int_eq(mdm_graph_plan(&g, 0), MASKDM_EINVAL);
    ck_assert_str_eq(mdm_error_text(), "qkv_bias has no v");
    mdm_graph_free(&g);

    mdm_graph_init(&g, &fake_backend, &layout, MDM_F32);
    x = mdm_graph_input(&g, MDM_F32, mdm_shape2(2, 4));
    mdm_add(&g, x, x);
    ck_assert_int_eq(mdm_graph_plan(&g, 0), MASKDM_EINVAL);
    ck_assert_str_eq(mdm_error_text(), "add gets one value twice, the second time as r");
    mdm_graph_free(&g);

    mdm_graph_init(&g, &fake_backend, &layout, MDM_F32);
    vector(&g, "n", 5);
    ck_assert_int_eq(mdm_graph_plan(&g, 0), MASKDM_ESHAPE);
    mdm_graph_free(&g);

    mdm_graph_init(&g, &fake_backend, &layout, MDM_F32);
    mdm_graph_input(&g, MDM_F32, mdm_shape3(INT64_MAX / 2, 8, 3));
    ck_assert_int_eq(mdm_graph_plan(&g, 0), MASKDM_ESHAPE);
    mdm_graph_free(&g);

    mdm_graph_init(&g, &fake_backend, &layout, MDM_F32);
    ck_assert_int_eq(mdm_graph_plan(&g, 0), MASKDM_EINVAL);
    mdm_graph_free(&g);
    mdm_params_free(&layout);
}
END_TEST

/* Every op says no to shapes that do not fit. */
START_TEST(ops_check_shapes)
{
    for (int which = 0; which < 24; which++) {
        struct mdm_params layout = {0};
        struct mdm_graph g;
        mdm_val x, x2, i, t, sum, w;

        mdm_graph_init(&g, &fake_backend, &layout, MDM_F32);
        x = mdm_graph_input(&g, MDM_F32, mdm_shape3(2, 3, 6));
        x2 = mdm_graph_input(&g, MDM_F32, mdm_shape3(2, 4, 6));
        i = mdm_graph_input(&g, MDM_I32, mdm_shape2(2, 5));
        t = mdm_graph_input(&g, MDM_F64, mdm_shape1(2));
        w = weight(&g, "w", 6, 6);
        ck_assert_int_eq(g.failure.code, 0);
        switch (which) {
        case 0: mdm_linear(&g, x, w, vector(&g, "v", 5)); break;
        case 1: mdm_linear_silu(&g, x, weight(&g, "u", 6, 7), MDM_NONE); break;
        case 2: mdm_linear2(&g, x, x2, weight(&g, "u", 6, 12), MDM_NONE); break;
        case 3: mdm_layernorm(&g, x, vector(&g, "v", 5), vector(&g, "u", 6), 1e-5); break;
        case 4: mdm_add_norm(&g, &sum, x, x2, vector(&g, "v", 6), vector(&g, "u", 6), 1e-5); break;
        case 5: mdm_add(&g, x, x2); break;
        case 6: mdm_qkv_bias(&g, x, vector(&g, "v", 2), vector(&g, "u", 3)); break;
        case 7: mdm_attention(&g, x, 3); break;
        case 8: mdm_patchify(&g, mdm_graph_input(&g, MDM_F32, mdm_shape4(2, 6, 4, 1)), i, 4); break;
        case 9: mdm_timestep(&g, t, 5, 0); break;
        case 10: mdm_embed(&g, t, w, vector(&g, "v", 5)); break;
        case 11: mdm_tokens(&g, &x, 1, x2, w, i); break;
        case 12: mdm_trim(&g, x, 3); break;
        case 14: mdm_modulate(&g, x, weight(&g, "u", 2, 17), 0, 2, 1e-6); break;
        case 15: mdm_modulate(&g, x, weight(&g, "u", 2, 12), -1, 1, 1e-6); break;
        case 16: mdm_gate_add(&g, x, mdm_gelu(&g, x), weight(&g, "u", 3, 12), 1); break;
        case 17: mdm_gate_add(&g, x, x2, weight(&g, "u", 2, 12), 1); break;
        case 18: mdm_route(&g, x2, i, 1); break;
        case 19: mdm_unroute(&g, x2, x, mdm_graph_input(&g, MDM_I32, mdm_shape2(2, 1)), 1); break;
        case 20: mdm_timestep_spaced(&g, t, 4, 1, 2); break;
        case 21: mdm_fill(&g, vector(&g, "v", 6), x, i, MDM_NONE, mdm_graph_shape(&g, x2), 0); break;
        case 22: mdm_fill(&g, vector(&g, "v", 5), x, MDM_NONE, MDM_NONE, mdm_graph_shape(&g, x), 0); break;
        case 23: mdm_transpose(&g, x, 5); break;
        default: mdm_linear(&g, x, w, 99); break;
        }
        ck_assert_msg(g.failure.code == (which == 13 ? MASKDM_EINVAL : MASKDM_ESHAPE), "case %d: %d %s", which,
                      g.failure.code, g.failure.text);
        mdm_graph_free(&g);
        mdm_params_free(&layout);
    }
}
END_TEST

/* The same of those on whole images, each with the numbers that do not fit. */
START_TEST(ops_on_images_check_shapes)
{
    static const char *const line[] = {
        "conv: x has 4 dimensions and 3 channels, w[4,2,3,3]",
        "conv: b has 5 elements, w makes 4 channels",
        "conv: r is [3,4], w makes 4 channels of 2 images",
        "conv: a step of 0 with 1 zeros before and 1 after, and 0 more beside",
        "conv: no window of 9 x 9 fits 6 x 4 pixels",
        "conv: x has 3 dimensions and 3 channels, w[4,3,3,3]",
        "group_norm: 2 groups of 3 channels",
        "group_norm_silu: w has 4 elements for 3 channels",
        "group_norm: m is [2,3] for 2 images of 3 channels",
        "upsample: x has 3 dimensions",
        "downsample: 3 x 4 pixels are not even",
        "concat: rows of 3 beside rows of 3, 48 of them and 24",
        "cut: index[2,3] of patches of 4 in 2 images of 6 x 4",
        "paste: 3 rows of 10 for 3 patches of 2",
        "hide: index[2,3] of patches of 3 in 2 images of 6 x 4",
        "concat gets one value twice, the second time as t",
    };
    const struct mdm_stride one = {1, 1, 1}, none = {0, 1, 1};
    const struct mdm_affine plain = {MDM_NONE, MDM_NONE, MDM_NONE};

    for (size_t which = 0; which < MDM_LENGTH(line); which++) {
        const int64_t side = which == 4 ? 9 : 3;
        struct mdm_params layout = {0};
        struct mdm_affine a = plain;
        struct mdm_graph g;
        mdm_val x, flat, half, odd, i, w;

        mdm_graph_init(&g, &fake_backend, &layout, MDM_F32);
        x = mdm_graph_input(&g, MDM_F32, mdm_shape4(2, 6, 4, 3));
        flat = mdm_graph_input(&g, MDM_F32, mdm_shape3(2, 24, 3));
        half = mdm_graph_input(&g, MDM_F32, mdm_shape4(2, 3, 4, 3));
        odd = mdm_graph_input(&g, MDM_F32, mdm_shape3(2, 3, 10));
        i = mdm_graph_input(&g, MDM_I32, mdm_shape2(2, 3));
        w = mdm_graph_param(&g, "w", mdm_shape4(4, which ? 3 : 2, side, side), MDM_INIT_ZERO, 0);
        switch (which) {
        case 0: mdm_conv(&g, x, w, MDM_NONE, MDM_NONE, one); break;
        case 1: mdm_conv(&g, x, w, vector(&g, "b", 5), MDM_NONE, one); break;
        case 2: mdm_conv(&g, x, w, MDM_NONE, weight(&g, "r", 3, 4), one); break;
        case 3: mdm_conv(&g, x, w, MDM_NONE, MDM_NONE, none); break;
        case 4: mdm_conv(&g, x, w, MDM_NONE, MDM_NONE, one); break;
        case 5: mdm_conv(&g, flat, w, MDM_NONE, MDM_NONE, one); break;
        case 6: mdm_group_norm(&g, x, plain, 2, 1e-5); break;
        case 7: a.w = vector(&g, "n", 4); mdm_group_norm_silu(&g, x, a, 3, 1e-5); break;
        case 8: a.m = weight(&g, "m", 2, 3); mdm_group_norm(&g, x, a, 3, 1e-5); break;
        case 9: mdm_upsample(&g, flat); break;
        case 10: mdm_downsample(&g, half); break;
        case 11: mdm_concat(&g, x, half, MDM_NONE); break;
        case 12: mdm_cut(&g, x, i, 4); break;
        case 13: mdm_paste(&g, odd, i, 2, 6, 4); break;
        case 14: mdm_hide(&g, x, i, 3); break;
        default: mdm_concat(&g, x, flat, flat); break;
        }
        ck_assert_str_eq(g.failure.text, line[which]);
        mdm_graph_free(&g);
        mdm_params_free(&layout);
    }
}
END_TEST

static int refuse_nth(void *user, size_t bytes)
{
    long *left = user;

    (void)bytes;
    return (*left)-- == 0;
}

START_TEST(refused_memory_is_reported)
{
    long live = mdm_alloc_live(), n = 0, left = 0;
    struct mdm_alloc_hook hook = {refuse_nth, &left};
    int rc = -1;

    for (n = 0; rc != 0; n++) {
        struct mdm_params layout = {0};
        struct mdm_graph g;

        left = n;
        mdm_alloc_hook_set(&hook);
        mdm_graph_init(&g, &fake_backend, &layout, MDM_F32);
        record_chain(&g);
        rc = mdm_graph_plan(&g, MDM_PLAN_TRAIN);
        mdm_alloc_hook_set(NULL);
        ck_assert(rc == 0 || rc == MASKDM_ENOMEM);
        if (rc)
            ck_assert_msg(strstr(mdm_error_text(), "allocate") != NULL, "%s", mdm_error_text());
        mdm_graph_free(&g);
        mdm_params_free(&layout);
        ck_assert_int_eq(mdm_alloc_live(), live);
    }
    ck_assert_int_gt(n, 10);
}
END_TEST

/* The last would otherwise take the place of the one before it. */
START_TEST(a_result_too_many_is_refused)
{
    static const struct mdm_op op = {.id = MDM_OP_ADD, .name = "many", .inputs = "x"};
    struct mdm_params layout = {0};
    struct mdm_graph g;
    mdm_val x, y[MDM_MAX_OUT + 1];

    mdm_graph_init(&g, &fake_backend, &layout, MDM_F32);
    x = mdm_graph_input(&g, MDM_F32, mdm_shape2(2, 3));
    ck_assert_ptr_nonnull(mdm_graph_node(&g, &op, 1, &x));
    for (int i = 0; i <= MDM_MAX_OUT; i++)
        y[i] = mdm_graph_result(&g, MDM_ACT, mdm_shape2(2, 3));
    ck_assert_int_ge(y[MDM_MAX_OUT - 1], 0);
    ck_assert_int_eq(y[MDM_MAX_OUT], MDM_NONE);
    ck_assert_int_eq(mdm_graph_plan(&g, 0), MASKDM_EINVAL);
    ck_assert_str_eq(mdm_error_text(), "many has more than 3 results");
    mdm_graph_free(&g);
    mdm_params_free(&layout);
}
END_TEST

START_TEST(a_missing_kernel_and_a_cancel_end_the_run)
{
    struct mdm_params layout = {0};
    struct mdm_graph g;
    atomic_int cancel = 1;
    float block[4096] = {0};
    _Alignas(64) static unsigned char arena[1 << 20];

    mdm_graph_init(&g, &fake_backend, &layout, MDM_F64);
    mdm_graph_output(&g, mdm_linear(&g, mdm_graph_input(&g, MDM_F64, mdm_shape2(2, 3)),
                                    weight(&g, "w64", 3, 3), MDM_NONE));
    ck_assert_int_eq(mdm_graph_plan(&g, 0), MASKDM_ENOTSUP);
    ck_assert_str_eq(mdm_error_text(), "fake cannot run linear forward in float64");
    ck_assert_int_eq(mdm_graph_forward(&g, block, NULL), MASKDM_EINVAL);
    mdm_graph_free(&g);

    mdm_graph_init(&g, &fake_backend, &layout, MDM_F32);
    record_chain(&g);
    ck_assert_int_eq(mdm_graph_plan(&g, MDM_PLAN_TRAIN), 0);
    ck_assert_int_eq(mdm_graph_forward(&g, block, NULL), MASKDM_EINVAL);    /* no arena */
    ck_assert_uint_le(g.arena_bytes, sizeof arena);
    ck_assert_uint_le(layout.length, MDM_LENGTH(block));
    mdm_graph_bind(&g, arena);
    ck_assert_int_eq(mdm_graph_forward(&g, block, &cancel), MASKDM_ECANCELED);
    ck_assert_int_eq(mdm_graph_backward(&g, block, block, &cancel), MASKDM_ECANCELED);
    cancel = 0;
    ck_assert_int_eq(mdm_graph_forward(&g, block, &cancel), MASKDM_OK);
    mdm_graph_free(&g);
    mdm_params_free(&layout);
}
END_TEST

START_TEST(a_dump_has_a_line_per_operation)
{
    struct mdm_params layout = {0};
    struct mdm_text text = {0};
    struct mdm_graph g;
    float result[64];
    int lines = 0;

    mdm_graph_init(&g, &fake_backend, &layout, MDM_F32);
    record_chain(&g);
    ck_assert_int_eq(mdm_graph_plan(&g, MDM_PLAN_TRAIN), 0);
    mdm_graph_dump(&g, &text);
    ck_assert_int_eq(mdm_text_ok(&text), 0);
    for (const char *s = text.data; *s; s++)
        lines += *s == '\n';
    ck_assert_int_eq(lines, g.n_node + 1);
    ck_assert_ptr_nonnull(strstr(text.data, "%7[2,5,6]"));
    ck_assert_ptr_nonnull(strstr(text.data, "=block.2.fc1"));
    mdm_text_free(&text);

    g.profiling = 1;
    ck_assert_int_gt(fake_step(&g, result, (int64_t)MDM_LENGTH(result)), 0);
    ck_assert_double_ge(g.node[0].seconds[0], 0);
    mdm_graph_dump(&g, &text);
    ck_assert_ptr_nonnull(strstr(text.data, " ms forward"));
    ck_assert_ptr_nonnull(strstr(text.data, " ms backward\n"));
    mdm_text_free(&text);
    mdm_graph_free(&g);
    mdm_params_free(&layout);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("graph");
    TCase *t = tcase_create("graph");
    SRunner *r = srunner_create(s);
    int failed;

    suite_add_tcase(s, t);
    tcase_add_test(t, sharing_changes_no_bit);
    tcase_add_test(t, remade_values_give_up_their_bytes);
    tcase_add_test(t, terms_of_a_sum_share_a_gradient);
    tcase_add_test(t, spans_do_not_meet);
    tcase_add_test(t, gradients_flow_where_wanted);
    tcase_add_test(t, a_value_that_nobody_uses_is_refused);
    tcase_add_test(t, a_result_too_many_is_refused);
    tcase_add_test(t, the_first_failure_sticks);
    tcase_add_test(t, ops_check_shapes);
    tcase_add_test(t, ops_on_images_check_shapes);
    tcase_add_test(t, refused_memory_is_reported);
    tcase_add_test(t, a_missing_kernel_and_a_cancel_end_the_run);
    tcase_add_test(t, a_dump_has_a_line_per_operation);
    srunner_run_all(r, CK_ENV);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}

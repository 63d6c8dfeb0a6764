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

static void trim(struct rig *r)
{
    output(r, mdm_trim(&r->g, input(r, mdm_shape3(2, 5, 3)), 2));
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
    {"embed", embed},
    {"embed whose last row is the null one", embed_last},
    {"tokens", tokens},
    {"tokens with a class", tokens_class},
    {"tokens without others", tokens_alone},
    {"tokens after many", tokens_many},
    {"tokens whose positions are frozen", tokens_frozen},
    {"modulate", modulate},
    {"modulate before a product", modulate_linear},
    {"gate_add", gate_add},
    {"trim", trim},
    {"route", route},
    {"unroute", unroute},
    {"route and back", route_around},
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
